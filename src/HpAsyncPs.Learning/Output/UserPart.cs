using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Json;
using HpAsyncPs.Learning.Data;
using HpAsyncPs.Learning.Factorization;

namespace HpAsyncPs.Learning.Output;

/// <summary>What users-N.json says.</summary>
public sealed record UserPartDescription
{
    /// <summary>Format of the files of a part.</summary>
    public int Format { get; init; } = ModelFolder.Format;

    /// <summary>Which part.</summary>
    public int Part { get; init; }

    /// <summary>How many there are.</summary>
    public int Parts { get; init; }

    /// <summary>Users in it.</summary>
    public int Users { get; init; }

    /// <summary>Checksum of the item rows that these users belong to.</summary>
    public string Checksum { get; init; } = "";
}

/// <summary>
/// What a worker of matrix factorisation adds to the model: its users, who are nowhere else. users-N.npy has a row each of the
/// factors and the bias; users-N.txt a line each of the id, a tab, and the numbers of the items that the user has rated; users-N.json,
/// which comes last, says which item rows they belong to. Each also writes items.txt, a line each of the item's id, the same at
/// all of them: any worker can be lost before the end.
/// </summary>
public static class UserPart
{
    /// <summary>File of the ids of items.</summary>
    public const string Items = "items.txt";

    /// <summary>Path of a file of a part.</summary>
    public static string PathOf(string folder, int part, string extension) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"users-{part}.{extension}"));

    /// <summary>Writes the files of a part.</summary>
    /// <param name="folder">Folder of the model; made if it is not there.</param>
    /// <param name="part">Which part.</param>
    /// <param name="parts">How many there are.</param>
    /// <param name="task">The trained task.</param>
    /// <param name="data">Its data.</param>
    /// <param name="items">Ids of all items.</param>
    /// <exception cref="InputException">They cannot be written.</exception>
    public static void Write(string folder, int part, int parts, FactorTask task, FactorData data, IdTable items)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"--out {folder}: cannot be made ({e.Message}); choose another folder", e);
        }

        AtomicFile.Write(Path.Combine(folder, Items), output => WriteIds(output, items));
        int rank = task.RowLength - 1;
        AtomicFile.Write(PathOf(folder, part, "npy"), output => NpyFile.Write(output, Rows(task.Evaluated, data, rank), rank + 1));
        AtomicFile.Write(PathOf(folder, part, "txt"), output => WriteUsers(output, data));
        var description = new UserPartDescription
        {
            Part = part,
            Parts = parts,
            Users = data.Users,
            Checksum = RunFolder.Checksum(task.Evaluated.Checksum),
        };
        AtomicFile.Write(PathOf(folder, part, "json"),
            output => JsonSerializer.Serialize(output, description, OutputJson.Default.UserPartDescription));
    }

    /// <summary>
    /// Completes a model of whose workers one was lost, and its users with it: they are written as none, so that the others can be used. Leaves
    /// a part alone that has its users.
    /// </summary>
    /// <param name="folder">Folder of the model.</param>
    /// <param name="part">The worker's.</param>
    /// <returns>False when the part has its users.</returns>
    /// <exception cref="InputException">The model cannot be read, or the part not be written.</exception>
    public static bool CompleteWithout(string folder, int part)
    {
        ModelDescription model = ModelFolder.Describe(folder);
        if (IsOf(folder, part, model.Checksum))
            return false;
        AtomicFile.Write(PathOf(folder, part, "npy"), output => NpyFile.Write(output, [], model.RowLength));
        AtomicFile.Write(PathOf(folder, part, "txt"), static _ => { });
        var none = new UserPartDescription { Part = part, Parts = model.Workers, Checksum = model.Checksum };
        AtomicFile.Write(PathOf(folder, part, "json"), output => JsonSerializer.Serialize(output, none, OutputJson.Default.UserPartDescription));
        return true;
    }

    private static bool IsOf(string folder, int part, string checksum)
    {
        try
        {
            using FileStream file = File.OpenRead(PathOf(folder, part, "json"));
            return JsonSerializer.Deserialize(file, OutputJson.Default.UserPartDescription)?.Checksum == checksum;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return false;
        }
    }

    /// <summary>Rows of factors and bias, in units of the ratings.</summary>
    private static float[] Rows(UserRows of, FactorData data, int rank)
    {
        float[] rows = new float[data.Users * (rank + 1)];
        float root = (float)Math.Sqrt(data.Scale), scale = (float)data.Scale;
        for (int user = 0; user < data.Users; user++)
        {
            for (int k = 0; k < rank; k++)
                rows[(user * (rank + 1)) + k] = root * of.Factors[(user * of.Width) + k];
            rows[(user * (rank + 1)) + rank] = scale * of.Biases[user];
        }

        return rows;
    }

    private static void WriteIds(Stream output, IdTable ids)
    {
        for (int number = 0; number < ids.Count; number++)
        {
            output.Write(ids[number]);
            output.WriteByte((byte)'\n');
        }
    }

    private static void WriteUsers(Stream output, FactorData data)
    {
        var heldOut = new Dictionary<int, List<int>>();
        for (int t = 0; t < data.TestUsers.Length; t++)
        {
            if (!heldOut.TryGetValue(data.TestUsers[t], out List<int>? items))
                heldOut[data.TestUsers[t]] = items = [];
            items.Add(data.TestItems[t]);
        }

        Span<byte> digits = stackalloc byte[16];
        for (int user = 0; user < data.Users; user++)
        {
            output.Write(data.UserNames[data.UserPlaces[user]]);
            byte before = (byte)'\t';
            for (int r = data.UserStarts[user]; r < data.UserStarts[user + 1]; r++)
                Add(data.LocalItems[data.Items[r]], digits, output, ref before);
            foreach (int item in heldOut.GetValueOrDefault(user, []))
                Add(item, digits, output, ref before);
            output.WriteByte((byte)'\n');
        }
    }

    private static void Add(int item, Span<byte> digits, Stream output, ref byte before)
    {
        item.TryFormat(digits, out int written, default, CultureInfo.InvariantCulture);
        output.WriteByte(before);
        output.Write(digits[..written]);
        before = (byte)' ';
    }
}
