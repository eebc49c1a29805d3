using System;
using System.IO;
using System.Text;

namespace HpAsyncPs.Tests.Cluster;

/// <summary>A folder of a test's own, removed at its end.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("hpaps-test-").FullName;

    public string In(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Names of what is in it.</summary>
    public string[] Entries()
    {
        string[] names = Directory.GetFileSystemEntries(Path);
        for (int j = 0; j < names.Length; j++)
            names[j] = System.IO.Path.GetFileName(names[j]);
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    /// <summary>
    /// Writes a small LIBSVM file of two classes that a line through the origin separates, but for some noise. The name
    /// has a space, as names of files do.
    /// </summary>
    public string Data(int rows = 300, string positive = "+1", string negative = "-1", string name = "tiny data.svm", string last = "")
    {
        const int Features = 20;
        var random = new Random(7);
        double[] weights = new double[Features];
        for (int j = 0; j < Features; j++)
            weights[j] = random.NextDouble() - 0.5;
        var text = new StringBuilder();
        for (int row = 0; row < rows; row++)
        {
            var entries = new StringBuilder();
            double margin = 0.1 * (random.NextDouble() - 0.5);
            for (int j = 0; j < Features; j++)
            {
                if (random.Next(3) != 0)
                    continue;
                double value = random.NextDouble();
                margin += weights[j] * value;
                entries.Append($" {j + 1}:{value:0.####}");
            }

            text.Append(margin > 0 ? positive : negative).Append(entries).Append('\n');
        }

        string path = In(name);
        File.WriteAllText(path, text.Append(last).ToString());
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
