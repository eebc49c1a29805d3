using System;
using System.Numerics;

namespace HpAsyncPs.Protocol;

/// <summary>The named limits of the wire. Each is checked before memory is taken or a length is used.</summary>
public static class Limits
{
    /// <summary>Version of the protocol; peers of another version are refused.</summary>
    public const byte ProtocolVersion = 5;

    /// <summary>A message of a vector with fewer bytes takes the time of a message, not that of its bytes.</summary>
    public const int SmallVectorBytes = 16 * 1024;

    /// <summary>Most parameters that one frame carries: a chunk of 1 MiB in fp32.</summary>
    public const int ChunkParameters = 256 * 1024;

    /// <summary>Parameters of all chunks that the workers of a job send at the same time: 8 MiB.</summary>
    public const int ChunksOfAllParameters = 8 * ChunkParameters;

    /// <summary>Parameters of a chunk, at least, however many workers there are: 64 KiB.</summary>
    public const int LeastChunkParameters = 16 * 1024;

    /// <summary>Most payload bytes of a data frame.</summary>
    public const int ChunkBytes = ChunkParameters * sizeof(float);

    /// <summary>Most parameters in a row.</summary>
    public const int RowLength = 4096;

    /// <summary>Most payload bytes of a control frame.</summary>
    public const int ControlBytes = 64 * 1024;

    /// <summary>Most payload bytes of a frame of the handshake.</summary>
    public const int HandshakeBytes = 64;

    /// <summary>Bytes of a nonce: as many as nobody meets twice.</summary>
    public const int NonceBytes = 32;

    /// <summary>Bytes of a proof: an HMAC-SHA-256.</summary>
    public const int ProofBytes = 32;

    /// <summary>Most parameters of a model (one shard): what fits an array of doubles with room to spare.</summary>
    public const int Parameters = 1 << 30;

    /// <summary>
    /// Largest magnitude of a parameter, where nobody says otherwise: its square is still far within a float, so losses and norms can be
    /// computed from it. Models have parameters of magnitude 1e-6 to 1e6; what gets here diverges, or is sent to do harm.
    /// </summary>
    public const float Magnitude = 1e18f;

    /// <summary>Most servers of a job.</summary>
    public const int Servers = 64;

    /// <summary>Most slices of the rows whose loads a worker tells.</summary>
    public const int LoadSlices = 256;

    /// <summary>Most workers of a job.</summary>
    public const int Workers = 4096;

    /// <summary>Most pushes of one worker that may be on their way or not yet contained in its snapshot.</summary>
    public const int Window = 4;

    /// <summary>Most pulls of one worker that are not answered yet.</summary>
    public const int OpenPulls = 16;

    /// <summary>Most characters of a text in a control message; longer ones are cut by the sender.</summary>
    public const int Text = 1024;

    /// <summary>Most settings, agreed numbers or values in a control message.</summary>
    public const int Items = 32;

    /// <summary>Pushes of a worker, and snapshots to it, of which one is followed by a check of what both ends have.</summary>
    public const int BetweenChecks = 16;

    /// <summary>Smallest weight of a worker.</summary>
    public const double LeastWeight = 1e-9;

    /// <summary>Most seconds that a worker may say it spent.</summary>
    public const double Seconds = 1e12;

    /// <summary>Most passes by which one push may move a worker on.</summary>
    public const double PassesOfAPush = 1000;

    /// <summary>Most passes that the wire can count.</summary>
    public const double Passes = (1 << 24) - 1;

    /// <summary>Largest weight of a worker: its examples, exact in a double.</summary>
    public const double Weight = 1L << 53;

    /// <summary>
    /// Keys in a chunk of a job: as many whole rows as fit <see cref="ChunkParameters"/>, or a share of <see cref="ChunksOfAllParameters"/> where
    /// more workers push at the same time, so that what a server holds of frames that are not whole yet does not grow with their number, up to 128.
    /// </summary>
    /// <param name="rowLength">Parameters in a row.</param>
    /// <param name="workers">Of the job.</param>
    /// <param name="most">Keys at most, but at least a row.</param>
    public static int ChunkKeys(int rowLength, int workers, int most = ChunkParameters)
    {
        int share = (int)BitOperations.RoundUpToPowerOf2((uint)((ChunksOfAllParameters / workers) + 1)) / 2; // down to a power of 2
        return Math.Max(1, Math.Min(most, Math.Clamp(share, LeastChunkParameters, ChunkParameters)) / rowLength) * rowLength;
    }
}
