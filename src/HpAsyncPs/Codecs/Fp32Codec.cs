using System;
using System.Buffers;
using System.Runtime.InteropServices;
using HpAsyncPs.Kernels;

namespace HpAsyncPs.Codecs;

/// <summary>
/// Deltas as they are: little-endian binary32, one per parameter. Works on the received bytes in place; a payload that
/// is spread over several pieces of memory is swept piece by piece, a float cut in two by a border is put together.
/// </summary>
public static class Fp32Codec
{
    /// <summary>Would every element of <paramref name="h"/> stay within the limit if the payload were added to it?</summary>
    /// <param name="payload">4 bytes for each element of h.</param>
    /// <param name="h">The reconstruction of the chunk.</param>
    /// <param name="limit">Largest magnitude.</param>
    public static bool StaysWithin(in ReadOnlySequence<byte> payload, ReadOnlySpan<float> h, float limit)
    {
        ReadOnlySequence<byte> rest = payload;
        Span<float> straddling = stackalloc float[1];
        for (int at = 0; !rest.IsEmpty;)
        {
            ReadOnlySpan<float> run = NextRun(ref rest, straddling);
            if (!DeltaKernel.StaysWithin(run, h.Slice(at, run.Length), limit))
                return false;
            at += run.Length;
        }

        return true;
    }

    /// <summary>h += payload; sum += weight times what h moved by.</summary>
    /// <param name="payload">4 bytes for each element of h.</param>
    /// <param name="weight">The worker's weight.</param>
    /// <param name="h">The reconstruction of the chunk.</param>
    /// <param name="sum">The weighted sum of the chunk.</param>
    public static void Apply(in ReadOnlySequence<byte> payload, double weight, Span<float> h, Span<double> sum)
    {
        ReadOnlySequence<byte> rest = payload;
        Span<float> straddling = stackalloc float[1];
        for (int at = 0; !rest.IsEmpty;)
        {
            ReadOnlySpan<float> run = NextRun(ref rest, straddling);
            DeltaKernel.Apply(run, weight, h.Slice(at, run.Length), sum.Slice(at, run.Length));
            at += run.Length;
        }
    }

    /// <summary>The largest magnitude in a payload; infinity if a value is infinite, NaN if one is NaN.</summary>
    public static float LargestMagnitude(in ReadOnlySequence<byte> payload)
    {
        ReadOnlySequence<byte> rest = payload;
        Span<float> straddling = stackalloc float[1];
        float largest = 0;
        while (!rest.IsEmpty)
            largest = MathF.Max(largest, DeltaKernel.LargestMagnitude(NextRun(ref rest, straddling))); // NaN if one is NaN
        return largest;
    }

    /// <summary>The largest |x + weight * payload|, in double; NaN if one is NaN.</summary>
    public static double LargestSum(in ReadOnlySequence<byte> payload, double weight, ReadOnlySpan<double> x)
    {
        ReadOnlySequence<byte> rest = payload;
        Span<float> straddling = stackalloc float[1];
        double largest = 0;
        for (int at = 0; !rest.IsEmpty;)
        {
            ReadOnlySpan<float> run = NextRun(ref rest, straddling);
            for (int j = 0; j < run.Length; j++)
                largest = Math.Max(largest, Math.Abs(x[at + j] + (weight * run[j])));
            at += run.Length;
        }

        return largest;
    }

    /// <summary>x += weight * payload, in double.</summary>
    public static void AddWeighted(in ReadOnlySequence<byte> payload, double weight, Span<double> x)
    {
        ReadOnlySequence<byte> rest = payload;
        Span<float> straddling = stackalloc float[1];
        for (int at = 0; !rest.IsEmpty;)
        {
            ReadOnlySpan<float> run = NextRun(ref rest, straddling);
            DeltaKernel.AddWeighted(run, weight, x.Slice(at, run.Length));
            at += run.Length;
        }
    }

    /// <summary>Copies a payload into place.</summary>
    public static void CopyTo(in ReadOnlySequence<byte> payload, Span<float> destination) =>
        payload.CopyTo(MemoryMarshal.AsBytes(destination));

    /// <summary>Takes the next run of whole floats off a sequence; one cut in two is put together in the second argument.</summary>
    public static ReadOnlySpan<float> NextRun(ref ReadOnlySequence<byte> rest, Span<float> straddling)
    {
        ReadOnlySpan<float> run = MemoryMarshal.Cast<byte, float>(rest.FirstSpan);
        if (run.IsEmpty)
        {
            rest.Slice(0, sizeof(float)).CopyTo(MemoryMarshal.AsBytes(straddling));
            run = straddling;
        }

        rest = rest.Slice((long)run.Length * sizeof(float));
        return run;
    }
}
