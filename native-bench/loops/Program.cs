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

    Usage: loops COMMAND COUNT SECONDS [ITEMS | IN_FLIGHT | SERVERS]

      add     a += b, COUNT floats, as TensorPrimitives has it, in slices that stay in the cache
      apply   a push into the shard: h += c in fp32, sum += w (h_new - h_old) in double, COUNT floats
      encode8, encode4  a delta as int8 or int4, with its reconstruction: c = C(x - h), h += c, COUNT floats, chunk by chunk
      decode8, decode4  such a delta into the shard: checked, h += c in fp32, sum += w (h_new - h_old) in double
      topk    of a delta the hundredth part of largest magnitude, as int4, with its reconstruction
      factor  steps of factorisation of rank 32, COUNT ratings sorted by user, ITEMS (4000) drawn with a heavy tail
      journal records of COUNT bytes (up to 1048576) appended to a journal in the current folder, each committed, IN_FLIGHT (8) of them not synced yet
      pushes  vectors of COUNT floats pushed by a worker to SERVERS (1) servers in this process, over loopback TCP, as fast as its window allows
      trips   the same, each when the one before is acknowledged by all
      disk    IN_FLIGHT (8) records of COUNT bytes written to a file in the current folder, and a sync, again and again

      COUNT, ITEMS, IN_FLIGHT, SERVERS   1 to 268435456
      SECONDS           how long, above 0 and up to 600; one sweep at least

    Prints one JSON object. bytes are those of the vector a or h; gb_per_second counts what is read and written, 12 bytes a float (add),
    28 (apply), 12 and the payload (encode), 24 and the payload (decode), only x (topk); a GB is 10^9 bytes; microseconds are those of a sweep. mb_per_second counts payloads that are synced, an MB is 10^6 bytes;
    append_us is the median of what an append and its commit cost the thread that calls them, allocated_bytes what it allocated in all, copy_us the
    median of a copy of as much to other memory, timed beside it. processor_seconds_per_gb are those of worker and servers together, for what is pushed.
    Exit codes: 0 done, 2 wrong usage, 4 the run failed.

    Examples:
      loops add 16777216 2
      loops apply 65536 2
      loops encode4 16777216 2
      loops factor 1000000 2
      loops journal 65536 2 32
      loops trips 16384 2 4
    """;

if (args is ["-h" or "--help", ..])
{
    Console.Out.WriteLine(Help);
    return Done;
}

if (args is not [("add" or "apply" or "encode8" or "encode4" or "decode8" or "decode4" or "topk" or "factor" or "journal" or "disk" or "pushes" or "trips") and var command, var first, var second, .. var rest] || rest.Length > (command is "factor" or "journal" or "disk" or "pushes" or "trips" ? 1 : 0)
    || !Count(first, out int count) || !double.TryParse(second, CultureInfo.InvariantCulture, out double seconds) || seconds is not (> 0 and <= MostSeconds))
{
    Console.Error.WriteLine($"loops: '{string.Join(' ', args)}' is not add COUNT SECONDS, apply COUNT SECONDS, encode8, encode4, decode8, decode4 or topk COUNT SECONDS, factor RATINGS SECONDS [ITEMS], journal BYTES SECONDS [IN_FLIGHT] disk BYTES SECONDS [IN_FLIGHT], pushes or trips COUNT SECONDS [SERVERS]; see loops --help");
    return Usage;
}

int items = command switch { "factor" => FactorLoop.Items, "pushes" or "trips" => 1, _ => DiskLoop.InFlight };
if (rest is [var third] && !Count(third, out items))
{
    Console.Error.WriteLine($"loops: {(command switch { "factor" => "ITEMS", "pushes" or "trips" => "SERVERS", _ => "IN_FLIGHT" })} is '{third}' and must be a number from 1 to {MostNumbers}; see loops --help");
    return Usage;
}

try
{
    Console.Out.WriteLine(command switch
    {
        "add" => Sweeps.Add(count, seconds),
        "apply" => Sweeps.Apply(count, seconds),
        "encode8" or "encode4" or "topk" => CodecLoop.Encode(command, count, seconds),
        "decode8" or "decode4" => CodecLoop.Decode(command, count, seconds),
        "journal" => DiskLoop.Journal(count, seconds, items),
        "disk" => DiskLoop.Disk(count, seconds, items),
        "pushes" or "trips" => ShardLoop.Run(command == "trips", count, seconds, items),
        _ => FactorLoop.Run(count, seconds, items),
    });
    return Done;
}
catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException or OutOfMemoryException)
{
    Console.Error.WriteLine($"loops: {e.Message}");
    return Failed;
}

static bool Count(string text, out int count) =>
    int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count is > 0 and <= MostNumbers;
