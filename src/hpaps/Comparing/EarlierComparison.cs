using System.IO;
using HpAsyncPs.Learning.Output.Comparing;

namespace HpAsyncPs.Cli.Comparing;

/// <summary>What an earlier comparison left in a folder that a new one is to replace: it goes when there is something in its place, and comes back if there never is.</summary>
internal sealed class EarlierComparison
{
    private const string Aside = ".earlier";

    private readonly string _folder;
    private readonly string _aside;
    private bool _isThere;

    /// <param name="folder">Which was checked; it may be empty, or not be there.</param>
    public EarlierComparison(string folder)
    {
        (_folder, _aside) = (folder, Path.Combine(folder, Aside));
        if (!File.Exists(Path.Combine(folder, ComparisonFiles.Json)))
            return;
        if (Directory.Exists(_aside))
            Directory.Delete(_aside, recursive: true); // of one that was killed: what came after it is newer
        Directory.CreateDirectory(_aside);
        _isThere = true;
        Move(_folder, _aside);
    }

    /// <summary>The new one has something to keep.</summary>
    public void Drop()
    {
        if (!_isThere)
            return;
        Directory.Delete(_aside, recursive: true);
        _isThere = false;
    }

    /// <summary>Puts it back, in the place of what the new one has made, if that is not to be kept.</summary>
    public void Return()
    {
        if (!_isThere)
            return;
        foreach (string name in ComparisonFiles.All)
            Delete(Path.Combine(_folder, name));
        Move(_aside, _folder);
        Drop();
    }

    private static void Move(string from, string to)
    {
        foreach (string name in ComparisonFiles.All)
        {
            string path = Path.Combine(from, name);
            if (Directory.Exists(path))
                Directory.Move(path, Path.Combine(to, name));
            else if (File.Exists(path))
                File.Move(path, Path.Combine(to, name));
        }
    }

    private static void Delete(string path)
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
        else
            File.Delete(path);
    }
}
