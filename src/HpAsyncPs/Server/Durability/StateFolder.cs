using System;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO;

namespace HpAsyncPs.Server.Durability;

/// <summary>
/// The folder in which a server keeps what must survive a crash: <c>journal/</c>, <c>checkpoints/</c>, and a lock that the system gives up when the
/// server ends, however it ends.
/// </summary>
public sealed class StateFolder : IDisposable
{
    private const string LockName = "lock";
    private const string EndedName = "ended";
    private const string OwnerName = "owner"; // beside the lock, since a locked file cannot be read
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const int WouldBlock = 11;

    private readonly FileStream _lock;

    private StateFolder(string path, FileStream held)
    {
        Path = path;
        _lock = held;
        Journal = new FileDisk(System.IO.Path.Combine(path, "journal"));
        Checkpoints = new FileDisk(System.IO.Path.Combine(path, "checkpoints"));
    }

    /// <summary>Of the folder, absolute.</summary>
    public string Path { get; }

    /// <summary>Where the journal is.</summary>
    public IDisk Journal { get; }

    /// <summary>Where checkpoints are.</summary>
    public IDisk Checkpoints { get; }

    /// <summary>Makes the folder if there is none (mode 0700), takes its lock, and tries whether it can be written.</summary>
    /// <exception cref="InputException">Another server has it, or it cannot be used.</exception>
    public static StateFolder Open(string path)
    {
        string full = System.IO.Path.GetFullPath(path);
        FileStream? held = null;
        try
        {
            Create(full);
            held = Lock(full);
            var state = new StateFolder(full, held);
            foreach (IDisk disk in (ReadOnlySpan<IDisk>)[state.Journal, state.Checkpoints])
            {
                Create(disk.Where);
                Probe(disk);
            }

            File.WriteAllText(System.IO.Path.Combine(full, OwnerName), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            DiskCalls.SyncFolder(full);
            if (File.Exists(System.IO.Path.Combine(full, EndedName)))
                state.Clear(); // a server was killed while it did so
            return state;
        }
        catch (Exception e) when (DiskTrouble.Is(e))
        {
            held?.Dispose();
            throw new InputException(DiskTrouble.Describe("the server's state cannot be kept", full, e), e);
        }
    }

    /// <summary>The job has ended, and its results are saved: removes what is kept of it. After the journal and the checkpoints are closed.</summary>
    /// <exception cref="InputException">The disk fails.</exception>
    public void Clear()
    {
        try
        {
            string ended = System.IO.Path.Combine(Path, EndedName);
            File.WriteAllText(ended, "");
            DiskCalls.SyncFolder(Path);
            foreach (IDisk disk in (ReadOnlySpan<IDisk>)[Checkpoints, Journal])
            {
                foreach (string name in disk.Names())
                    disk.Delete(name);
                disk.SyncNames();
            }

            File.Delete(ended);
        }
        catch (Exception e) when (DiskTrouble.Is(e))
        {
            throw new InputException(DiskTrouble.Describe("the state of the job that has ended cannot be removed", Path, e), e);
        }
    }

    /// <summary>Gives the lock up.</summary>
    public void Dispose() => _lock.Dispose();

    [SuppressMessage("Interoperability", "CA1416", Justification = "Servers run on Linux.")]
    private static void Create(string path) => Directory.CreateDirectory(path, Private);

    private static FileStream Lock(string folder)
    {
        string path = System.IO.Path.Combine(folder, LockName);
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult == WouldBlock)
        {
            throw new InputException($"the state folder '{folder}' is in use by another server, process {Owner(folder)}: stop that one first, or choose another folder", e);
        }
    }

    private static string Owner(string folder)
    {
        string path = System.IO.Path.Combine(folder, OwnerName);
        return File.Exists(path) ? File.ReadAllText(path) : "unknown yet";
    }

    private static void Probe(IDisk disk)
    {
        const string Name = "probe";
        using (IDiskFile file = disk.Create(Name))
        {
            file.Write(0, "hpaps"u8);
            file.Sync();
        }

        disk.Delete(Name);
    }
}
