using System;
using System.Globalization;
using System.IO;
using HpAsyncPs.Learning.Output;

namespace HpAsyncPs.Cli.Training;

/// <summary>The folder of a run's results. Remembers what was there before, so that a run that fails leaves nothing.</summary>
internal sealed class OutputFolder
{
    // Keeps two runs that start in the same second from sharing a folder; gone once the run is over.
    private const string Claim = ".running";

    private readonly bool _existed;
    private readonly string _existingParent;

    private OutputFolder(string path, bool mayHoldComparison = false)
    {
        Path = path;
        string full = System.IO.Path.GetFullPath(path);
        _existed = Directory.Exists(full);
        _existingParent = full;
        while (!Directory.Exists(_existingParent))
            _existingParent = System.IO.Path.GetDirectoryName(_existingParent) ?? "/";
        RunFolder.Probe(path, mayHoldComparison);
    }

    /// <summary>As the user named it.</summary>
    public string Path { get; }

    /// <summary>The folder that the user named.</summary>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static OutputFolder Named(string path) => new(path);

    /// <summary>A new folder that is named by the task and the time.</summary>
    /// <exception cref="InputException">It cannot be made.</exception>
    public static OutputFolder ByTime(string task, TimeProvider time)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{task}-{time.GetLocalNow():yyyyMMdd-HHmmss}");
        for (int number = 1; ; number++)
        {
            string path = System.IO.Path.Combine("runs", number == 1 ? name : $"{name}-{number}");
            if (Directory.Exists(path) || File.Exists(path))
                continue;
            var folder = new OutputFolder(path);
            if (folder.TryClaim())
                return folder;
        }
    }

    /// <summary>The folder of a comparison, made at once: the folders of its runs come and go in it.</summary>
    /// <param name="path">As the user named it; null: one that is named by the time.</param>
    /// <param name="task">What is trained.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="InputException">It cannot be made.</exception>
    public static OutputFolder OfComparison(string? path, string task, TimeProvider time)
    {
        OutputFolder folder = path is null ? ByTime($"compare-{task}", time) : new OutputFolder(path, mayHoldComparison: true);
        folder.Make();
        return folder;
    }

    /// <summary>The run is over and its results stay.</summary>
    public void Keep()
    {
        if (Directory.Exists(Path))
            File.Delete(System.IO.Path.Combine(Path, Claim));
    }

    /// <summary>The run came to nothing: removes what it made, and nothing that was there before.</summary>
    public void Discard()
    {
        if (_existed)
            return;
        try
        {
            string at = System.IO.Path.GetFullPath(Path);
            if (Directory.Exists(at))
                Directory.Delete(at, recursive: true);
            for (at = System.IO.Path.GetDirectoryName(at)!; at.Length > _existingParent.Length; at = System.IO.Path.GetDirectoryName(at)!)
                Directory.Delete(at);
        }
        catch (IOException)
        {
            // Another run has begun to use the parent, or there is nothing to remove.
        }
        catch (UnauthorizedAccessException)
        {
            // What brought the run to nothing matters more than what it leaves.
        }
    }

    private void Make()
    {
        try
        {
            Directory.CreateDirectory(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{Path}: cannot be made ({e.Message}); name another folder with --out", e);
        }
    }

    private bool TryClaim()
    {
        Make();
        try
        {
            using var claim = new FileStream(System.IO.Path.Combine(Path, Claim), FileMode.CreateNew);
            return true;
        }
        catch (IOException) when (File.Exists(System.IO.Path.Combine(Path, Claim)))
        {
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{Path}: cannot be made ({e.Message}); name another folder with --out", e);
        }
    }
}
