using System.IO;
using System.Threading;

namespace HpAsyncPs.Learning.Data;

/// <summary>
/// Reads ratings, plain or gzip: a line each of user, item and rating, what follows (a time, say) is ignored. Separated by commas
/// (with or without a header, fields in double quotes or not), semicolons, <c>::</c>, tabs or blanks: the first line decides. Ids
/// are any text without control characters.
/// </summary>
public static class RatingsReader
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">A file, plain or gzip.</param>
    /// <param name="users">Grows by the users of the file.</param>
    /// <param name="items">Grows by the items of the file.</param>
    /// <param name="needsRatings">False: the third field may be missing, or be no number; the value is then NaN.</param>
    /// <param name="cancellation">Looked at once per block.</param>
    /// <exception cref="InputException">The file cannot be read or is malformed; the message is FILE:LINE: what; what to do.</exception>
    /// <exception cref="System.OperationCanceledException">Cancelled.</exception>
    public static Ratings Read(string path, IdTable users, IdTable items, bool needsRatings, CancellationToken cancellation)
    {
        var builder = new RatingsBuilder(path, users, items, needsRatings);
        TextFile.Read(path, builder, cancellation);
        return builder.Finish();
    }

    /// <summary>Reads a stream, in blocks of <paramref name="blockBytes"/>.</summary>
    /// <exception cref="InputException">The text is malformed; the message is SOURCE:LINE: what; what to do.</exception>
    public static Ratings Read(Stream stream, string source, IdTable users, IdTable items, bool needsRatings, int blockBytes)
    {
        var builder = new RatingsBuilder(source, users, items, needsRatings);
        TextFile.Read(stream, source, builder, blockBytes, CancellationToken.None);
        return builder.Finish();
    }
}
