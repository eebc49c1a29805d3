using System;
using System.Globalization;
using System.IO;
using HpAsyncPs.Bench.Loops;

// What one core does with the library's loops, native-compiled as the programs are: for pairs with the same in plain C, in turn.
const int Done = 0, Usage = 2, Failed = 4;
const int MostNumbers = 1 << 28;
const double MostSeconds = 600;
const string Help = """
    loops - what one core does with the library's loops, native-compiled as the programs are

    Usage: loops COMMAND COUNT SECONDS [ITEMS]

      add     a += b, COUNT floats, as TensorPrimitives has it, in slices that stay in the cache
      apply   a push into the shard: h += c in fp32, sum += w (h_new - h_old) in double, COUNT floats
      factor  steps of factorisation of rank 32, COUNT ratings sorted by user, ITEMS (4000) drawn with a heavy tail

      COUNT and ITEMS   1 to 268435456
      SECONDS           how long, above 0 and up to 600; one sweep at least

    Prints one JSON object. bytes are those of the vector a or h; gb_per_second counts what is read and written, 12 bytes a float (add)
    and 28 (apply); a GB is 10^9 bytes; microseconds are those of a sweep.
    Exit codes: 0 done, 2 wrong usage, 4 the run failed.

    Examples:
      loops add 16777216 2
      loops apply 65536 2
      loops factor 1000000 2
    """;

if (args is ["-h" or "--help", ..])
{
    Console.Out.WriteLine(Help);
    return Done;
}

if (args is not [("add" or "apply" or "factor") and var command, var first, var second, .. var rest] || rest.Length > (command == "factor" ? 1 : 0)
    || !Count(first, out int count) || !double.TryParse(second, CultureInfo.InvariantCulture, out double seconds) || seconds is not (> 0 and <= MostSeconds))
{
    Console.Error.WriteLine($"loops: '{string.Join(' ', args)}' is not add COUNT SECONDS, apply COUNT SECONDS or factor RATINGS SECONDS [ITEMS]; see loops --help");
    return Usage;
}

int items = FactorLoop.Items;
if (rest is [var third] && !Count(third, out items))
{
    Console.Error.WriteLine($"loops: ITEMS is '{third}' and must be a number from 1 to {MostNumbers}; see loops --help");
    return Usage;
}

try
{
    Console.Out.WriteLine(command switch
    {
        "add" => Sweeps.Add(count, seconds),
        "apply" => Sweeps.Apply(count, seconds),
        _ => FactorLoop.Run(count, seconds, items),
    });
    return Done;
}
catch (Exception e) when (e is InvalidDataException or OutOfMemoryException)
{
    Console.Error.WriteLine($"loops: {e.Message}");
    return Failed;
}

static bool Count(string text, out int count) =>
    int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count is > 0 and <= MostNumbers;
