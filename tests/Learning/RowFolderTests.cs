using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Data.Prepared;
using Xunit;

namespace HpAsyncPs.Tests.Learning;

/// <summary>Folders of files with rows.</summary>
public sealed class RowFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hpaps-folder-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Each_worker_takes_whole_files_in_the_order_of_their_names()
    {
        // Plain, gzip and prepared. Byte by byte, "B" is before "a", and "p-10" before "p-2".
        string elsewhere = Path.Combine(_folder, ".elsewhere");
        File.WriteAllText(elsewhere, Row(3));
        WriteFile("p-10", Row(1));
        File.WriteAllBytes(Path.Combine(_folder, "p-2"), LibsvmFiles.Gzip(Encoding.UTF8.GetBytes(Row(2))));
        File.WriteAllBytes(Path.Combine(_folder, "q"), PreparedFiles.Prepare(elsewhere));
        File.CreateSymbolicLink(Path.Combine(_folder, "a"), elsewhere);
        WriteFile("B", Row(0));
        WriteFile(".hidden", Row(99));
        WriteFile("_SUCCESS", "");
        Assert.Equal([1, 4, 2, 3, 4], Values(RowPart.All));
        Assert.Equal([1, 2, 4], Values(new RowPart(0, 2, 5)));
        Assert.Equal([4, 3], Values(new RowPart(1, 2, 5)));
        for (int index = 0; index < 5; index++)
            Assert.Single(Values(new RowPart(index, 5, 0)));
        SparseRows whole = Read(RowPart.All);
        Assert.Equal((_folder, 4, -1f, 1f), (whole.Source, whole.Features, whole.MinLabel, whole.MaxLabel));
        Assert.Equal(whole.CutFrom, Read(new RowPart(1, 2, 0)).CutFrom);
        Assert.StartsWith("5 files ", whole.CutFrom, StringComparison.Ordinal);
        WriteFile("B", Row(0) + Row(0));
        Assert.NotEqual(whole.CutFrom, Read(RowPart.All).CutFrom);
    }

    [Fact]
    public void Fewer_files_than_workers_are_refused()
    {
        WriteFile("a", Row(0));
        WriteFile("b", Row(1));
        var error = Assert.Throws<InputException>(() => Read(new RowPart(0, 3, 0)));
        Assert.Equal($"{_folder}: has 2 files, too few for 3 workers, which take whole files; use at most 2 workers, or make one file of them with hpaps prepare logreg", error.Message);
    }

    [Fact]
    public void Folder_without_files_or_with_folders_is_refused()
    {
        WriteFile(".hidden", Row(0));
        WriteFile("empty", "");
        Assert.Equal($"{_folder}: there are no files in this folder; give a folder of LIBSVM files", Refusal());
        WriteFile("a", Row(0));
        Directory.CreateDirectory(Path.Combine(_folder, "z"));
        Assert.Equal($"{_folder}: has a folder in it, z; give a folder of files alone", Refusal());
        var error = Assert.Throws<InputException>(() => LibsvmReader.Read(_folder, new RowPart(0, 2, 0), RowCut.Bytes, CancellationToken.None));
        Assert.Contains("leave --cut bytes out", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Errors_name_the_file_and_its_line()
    {
        WriteFile("a", Row(0) + Row(1));
        string bad = WriteFile("b", Row(0) + "+1 1:x\n");
        Assert.StartsWith($"{bad}:2: the value is not a finite number", Refusal(), StringComparison.Ordinal);
        WriteFile("b", Row(0) + "7 1:1\n");
        var error = Assert.Throws<InputException>(() => BinaryLabels.Of(Read(RowPart.All)));
        Assert.StartsWith($"{bad}:2: label '7' does not fit", error.Message, StringComparison.Ordinal);
        WriteFile("b", "# nothing\n");
        Assert.Equal($"{bad}: there are no rows in this file; give a file of LIBSVM text", Refusal());
    }

    [Fact]
    public void Folder_is_prepared_as_one_file()
    {
        WriteFile("a", PreparedFiles.Text(5000));
        WriteFile("b", PreparedFiles.Text(20));
        List<string> expected = PreparedFiles.Sorted(PreparedFiles.Lines(Read(RowPart.All)));
        byte[] prepared = PreparedFiles.Prepare(_folder);
        Assert.Equal(prepared, PreparedFiles.Prepare(_folder, passes: 3));
        string path = Path.Combine(_folder, ".prepared");
        File.WriteAllBytes(path, prepared);
        SparseRows rows = LibsvmReader.Read(path, RowPart.All, CancellationToken.None);
        Assert.Equal(expected, PreparedFiles.Sorted(PreparedFiles.Lines(rows)));
        Assert.Equal((Path.GetFileName(_folder), 1UL), RowPreparation.Describe(path));
        Assert.Null(RowPreparation.Describe(_folder));
        string bad = WriteFile("b", Row(0) + "+1 1:x\n");
        Assert.StartsWith($"{bad}:2: ", Assert.Throws<InputException>(() => PreparedFiles.Prepare(_folder)).Message, StringComparison.Ordinal);
    }

    private static string Row(int column) => $"{(column % 2 == 0 ? "+1" : "-1")} {column + 1}:{column + 1}\n";

    private List<int> Values(RowPart part)
    {
        var all = new List<int>();
        foreach (float value in Read(part).Values)
            all.Add((int)value);
        return all;
    }

    private SparseRows Read(RowPart part) => LibsvmReader.Read(_folder, part, CancellationToken.None);

    private string Refusal() => Assert.Throws<InputException>(() => Read(RowPart.All)).Message;

    private string WriteFile(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
