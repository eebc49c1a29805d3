using System;
using System.Threading;

namespace HpAsyncPs.Server.Durability;

/// <summary>A thread that does pieces of work on a disk while there are any, and sleeps until it is woken.</summary>
internal sealed class DiskThread : IDisposable
{
    /// <summary>How long a thread that is to stop may take for what it still has to do: a disk that hangs must not hold the program.</summary>
    public static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(10);

    private readonly AutoResetEvent _wake = new(false);
    private readonly Func<bool> _work;
    private readonly Thread _thread;
    private volatile bool _stop;

    /// <param name="name">Of the thread.</param>
    /// <param name="work">Does a piece; false if there is nothing to do.</param>
    public DiskThread(string name, Func<bool> work)
    {
        _work = work;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>There is something to do. Any thread.</summary>
    public void Wake() => _wake.Set();

    /// <summary>Has it ended? If not after <see cref="Dispose"/>, it still holds its files.</summary>
    public bool Ended { get; private set; }

    /// <summary>Lets it finish what there is to do within <see cref="StopLimit"/>, and ends it.</summary>
    public void Dispose()
    {
        if (Ended)
            return;
        _stop = true;
        _wake.Set();
        Ended = _thread.Join(StopLimit);
        if (Ended)
            _wake.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            while (_work())
            {
            }

            if (_stop)
                return;
            _wake.WaitOne();
        }
    }
}
