using System.IO;

namespace HpAsyncPs.Protocol;

/// <summary>Bytes that nobody guesses, from the kernel: the runtime's own generator needs OpenSSL on the host, and ends the process where there is none.</summary>
public static class RandomBytes
{
    private const string Source = "/dev/urandom";

    /// <summary>Draws some.</summary>
    /// <param name="count">How many.</param>
    /// <exception cref="InputException">This host does not give any.</exception>
    public static byte[] Draw(int count)
    {
        byte[] drawn = new byte[count];
        try
        {
            using var source = new FileStream(Source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            source.ReadExactly(drawn);
        }
        catch (IOException e)
        {
            throw new InputException($"No random bytes can be read from {Source}: {e.Message} Mount /dev where this runs.");
        }

        return drawn;
    }
}
