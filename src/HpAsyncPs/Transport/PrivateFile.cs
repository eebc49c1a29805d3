using System;
using System.IO;
using System.Text;

namespace HpAsyncPs.Transport;

/// <summary>Files with secrets, which nobody but their owner may read or write.</summary>
internal static class PrivateFile
{
    private const UnixFileMode OfOthers = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>All that a file has.</summary>
    /// <param name="path">Where.</param>
    /// <param name="what">What it is, for messages.</param>
    /// <param name="mostBytes">Longer ones are refused.</param>
    /// <param name="remedy">What to do when there is none.</param>
    /// <exception cref="InputException">It cannot be read, is too long, or is open to others.</exception>
    public static byte[] Read(string path, string what, int mostBytes, string remedy)
    {
        try
        {
            byte[] bytes = new byte[mostBytes + 1];
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            UnixFileMode mode = OperatingSystem.IsWindows() ? UnixFileMode.None : File.GetUnixFileMode(file.SafeFileHandle); // of the file that is open, not of its name
            if ((mode & OfOthers) != 0)
                throw new InputException($"The {what} '{path}' is open to others (mode {Convert.ToString((int)mode, 8).PadLeft(4, '0')}): chmod 600 '{path}'.");
            int count = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return count <= mostBytes ? bytes[..count] : throw new InputException($"The {what} '{path}' has more than {mostBytes} bytes: is it another file? {remedy}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new InputException($"The {what} '{path}' cannot be read: {(Directory.Exists(path) ? "it is a folder." : e.Message)} {remedy}", e);
        }
    }

    /// <summary>The same as text.</summary>
    public static string ReadText(string path, string what, int mostBytes, string remedy) => Encoding.UTF8.GetString(Read(path, what, mostBytes, remedy));
}
