using System;
using System.IO;
using System.IO.Pipes;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace HpAsyncPs.Cli.Watching;

/// <summary>
/// Standard output of a program that goes on for long. Where that is a pipe whose reader has gone (head), <see cref="Console.Out"/> drops what is written and says nothing, and the
/// program would go on for nobody; here writing fails.
/// </summary>
internal static class PipedOutput
{
    private const int StandardOutput = 1;

    /// <summary>The pipe, or null: standard output is none.</summary>
    public static TextWriter? Open()
    {
#pragma warning disable CA2000 // whoever asked for it owns it; standard output itself is nobody's to close
        var handle = new SafePipeHandle(StandardOutput, ownsHandle: false);
        try
        {
            return new StreamWriter(new AnonymousPipeClientStream(PipeDirection.Out, handle), new UTF8Encoding(false));
        }
#pragma warning restore CA2000
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            handle.Dispose();
            return null; // a file or a terminal
        }
    }
}
