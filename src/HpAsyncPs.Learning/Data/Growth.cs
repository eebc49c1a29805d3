using System;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// How arrays grow that a text is read into. Where the length of the text is known, to what its use so far lets expect, with a
/// margin for lines that differ, so that they are copied once or twice; else to the double.
/// </summary>
/// <param name="source">Path, for messages.</param>
internal sealed class Growth(string source)
{
    private const double Margin = 1.05;
    private const double LeastGrowth = 1.25;
    private const double BlindGrowth = 2;

    /// <summary>Bytes of text that have been gone through.</summary>
    public long BytesDone { get; set; }

    /// <summary>Length of the text, 0 if not known.</summary>
    public long TotalBytes { get; set; }

    /// <summary>What is in the arrays is not of one text alone: its length says nothing.</summary>
    public bool IsBlind { get; set; }

    /// <summary>Makes room.</summary>
    /// <exception cref="InputException">There are more than an array holds.</exception>
    public void Reserve<T>(ref T[] array, int used, int more, string what)
    {
        if (array.Length - used >= more)
            return;
        long needed = (long)used + more;
        if (needed > Array.MaxLength)
            throw new InputException($"{source}: more than {used} {what} for one worker; use more workers");
        double growth = !IsBlind && BytesDone > 0 && BytesDone < TotalBytes ? Math.Max(Margin * TotalBytes / BytesDone, LeastGrowth) : BlindGrowth;
        double wanted = Math.Clamp(growth * used, needed, Array.MaxLength);
        var larger = GC.AllocateUninitializedArray<T>((int)wanted);
        array.AsSpan(0, used).CopyTo(larger);
        array = larger;
    }

    /// <summary>Gives up a fifth and more; less is not worth a copy.</summary>
    public static void Trim<T>(ref T[] array, int used)
    {
        if (used < array.Length / 5 * 4)
            Array.Resize(ref array, used);
    }
}
