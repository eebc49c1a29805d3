using System.Buffers.Binary;

namespace HpAsyncPs.Protocol;

/// <summary>The numbers of sessions: each worker draws its own, so that it can name it before it has heard of the server.</summary>
public static class SessionNumber
{
    /// <summary>A number that nobody guesses, and not 0.</summary>
    public static ulong Draw()
    {
        ulong number;
        do
            number = BinaryPrimitives.ReadUInt64LittleEndian(RandomBytes.Draw(sizeof(ulong)));
        while (number == 0);
        return number;
    }
}
