using System;
using System.Diagnostics;
using System.Threading;
using Xunit;

namespace HpAsyncPs.Tests;

/// <summary>Waits for what other threads bring about, bounded.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public static void Holds(Func<bool> condition, Func<string> message)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < Limit, message());
            Thread.Sleep(5);
        }
    }
}
