using System;
using System.Text;

namespace HpAsyncPs.Learning.Data;

/// <summary>Parses lines of user, item and rating into growing arrays.</summary>
/// <param name="source">Path, for messages.</param>
/// <param name="users">Grows by the users.</param>
/// <param name="items">Grows by the items.</param>
/// <param name="needsRatings">Every line must have a rating.</param>
internal sealed class RatingsBuilder(string source, IdTable users, IdTable items, bool needsRatings) : ILineSink
{
    private const int FirstRatings = 1 << 16;
    private const int LongestId = 256;

    // Squares of differences must stay within single precision.
    private const float LargestRating = 1e15f;
    private const string Form = "a line is 'user,item,rating', or the same separated by ';', '::', tabs or blanks, as in the first line";

    private const string Reorder = "put them into that order, for example: awk -F, '{ print $1 \",\" $2 \",\" $4 }'";

    // Names of the third column by which a first line is known to be a header.
    private static readonly string[] RatingNames = ["rating", "score", "value", "stars", "weight", "count", "preference"];
    private static readonly string[] UserNames = ["user", "userid", "uid", "users"];

    private readonly Growth _growth = new(source);
    private int[] _userOf = new int[FirstRatings];
    private int[] _itemOf = new int[FirstRatings];
    private float[] _values = new float[FirstRatings];
    private int _count;
    private byte _separator;
    private bool _begun;

    // The user of the line before: files are often sorted by user.
    private int _user = -1;

    /// <inheritdoc/>
    public string LineHelp => "a rating is one line";

    /// <inheritdoc/>
    public long BytesDone { set => _growth.BytesDone = value; }

    /// <inheritdoc/>
    public long TotalBytes { set => _growth.TotalBytes = value; }

    /// <inheritdoc/>
    public void Take(ReadOnlySpan<byte> line, int length, int at, long number)
    {
        int end = line[length - 1] == '\r' ? length - 1 : length;
        if (line[at..end].Contains((byte)'\r'))
            throw Fail(number, "a carriage return stands within the line", line[at..end], "line ends must be line feeds: tr '\\r' '\\n' converts old ones");
        bool first = !_begun;
        if (first)
            Begin(line[at..end], number);
        if (_separator == '\t' && line[..at].Contains((byte)'\t'))
            throw Fail(number, "the first field is empty", line[..end]);

        int from = at;
        bool more = NextField(line, ref from, end, number, out ReadOnlySpan<byte> user);
        if (!more)
            throw Fail(number, "there is only one field", line[at..end]);
        more = NextField(line, ref from, end, number, out ReadOnlySpan<byte> item);
        if (!more && needsRatings)
            throw Fail(number, "there is no rating, only two fields", line[at..end]);
        float value = float.NaN;
        if (more && !TryRating(line, from, end, out value) && needsRatings)
        {
            if (first && IsHeader(user, item, Rest(line, from, end), number))
                return;
            throw Fail(number, "the rating is not a finite number", line[from..end]);
        }

        if (first && !needsRatings && (more && float.IsNaN(value) ? IsHeader(user, item, Rest(line, from, end), number) : IsName(user, UserNames)))
            return;
        if (float.Abs(value) > LargestRating)
            throw Fail(number, "the rating is too large", line[from..end], $"ratings go from -{LargestRating:0e+0} to {LargestRating:0e+0}");
        Reserve();
        if (_user < 0 || !users[_user].SequenceEqual(user))
            _user = users.Add(Checked(user, line[at..end], number));
        _userOf[_count] = _user;
        _itemOf[_count] = items.Add(Checked(item, line[at..end], number));
        _values[_count++] = value;
    }

    /// <summary>The ratings. The builder is not to be used afterwards.</summary>
    /// <exception cref="InputException">There are none.</exception>
    public Ratings Finish()
    {
        if (_count == 0)
            throw new InputException($"{source}: there are no ratings in this file; {Form}");
        Array.Resize(ref _userOf, _count);
        Array.Resize(ref _itemOf, _count);
        Array.Resize(ref _values, _count);
        return new Ratings(source, users, items, _userOf, _itemOf, _values);
    }

    // The separator of all lines: the first of these that the first line has.
    private void Begin(ReadOnlySpan<byte> line, long number)
    {
        _begun = true;
        if (line[0] == '%')
            throw Fail(number, "this is not a list of ratings: it begins like MatrixMarket", line);
        if (line.IndexOf("::"u8) >= 0)
            _separator = (byte)':';
        else if (line.Contains((byte)'\t'))
            _separator = (byte)'\t';
        else if (line.Contains((byte)';'))
            _separator = (byte)';';
        else if (line.Contains((byte)','))
            _separator = (byte)',';
        else if (line.Contains((byte)' '))
            _separator = (byte)' ';
        else
            throw Fail(number, "this is not user, item and rating", line);
    }

    /// <summary>Takes the field at <paramref name="from"/>, which moves behind the separator.</summary>
    /// <returns>Whether a separator follows the field.</returns>
    private bool NextField(ReadOnlySpan<byte> line, ref int from, int end, long number, out ReadOnlySpan<byte> field)
    {
        int start = from;
        if (line[start] == '"' && start < end)
        {
            int close = line[(start + 1)..end].IndexOf((byte)'"');
            int after = start + close + 2;
            if (close < 0 || (after < end && !IsSeparator(line, after, end)))
                throw Fail(number, "the quotes of a field do not close, or hold other quotes", line[start..end]);
            field = line.Slice(start + 1, close);
            return Skip(line, after, end, out from);
        }

        int stop = start;
        while (stop < end && !IsSeparator(line, stop, end))
            stop++;
        field = line[start..stop];
        if (_separator != ' ' && field.Length > 0 && (field[0] == ' ' || field[^1] == ' '))
            field = field.Trim((byte)' ');
        return Skip(line, stop, end, out from);
    }

    private bool IsSeparator(ReadOnlySpan<byte> line, int at, int end)
    {
        byte one = line[at];
        if (one != _separator)
            return _separator == ' ' && one == '\t';
        return _separator != ':' || (at + 1 < end && line[at + 1] == ':');
    }

    private bool Skip(ReadOnlySpan<byte> line, int at, int end, out int next)
    {
        next = at;
        if (at >= end)
            return false;
        next += _separator == ':' ? 2 : 1;
        while (next < end && (line[next] == ' ' || (_separator == ' ' && line[next] == '\t')))
            next++;
        return next < end || _separator != ' ';
    }

    private bool TryRating(ReadOnlySpan<byte> line, int from, int end, out float value)
    {
        value = float.NaN;
        if (from >= end)
            return false;
        bool quoted = line[from] == '"';
        int at = DecimalParser.Read(line, quoted ? from + 1 : from, out float read);
        if (at == DecimalParser.NoNumber || at > end)
            return false;
        if (quoted && line[at++] != '"')
            return false;
        while (at < end && line[at] == ' ' && _separator != ' ')
            at++;
        if (at < end && !IsSeparator(line, at, end))
            return false;
        value = read;
        return true;
    }

    private static ReadOnlySpan<byte> Rest(ReadOnlySpan<byte> line, int from, int end) => line[Math.Min(from, end)..end];

    // A header is known by the names in it: a first line with a broken rating must not be taken for one.
    private bool IsHeader(ReadOnlySpan<byte> user, ReadOnlySpan<byte> item, ReadOnlySpan<byte> rest, long number)
    {
        int from = 0;
        byte[] padded = [.. rest, (byte)'\n'];
        NextField(padded, ref from, rest.Length, number, out ReadOnlySpan<byte> third);
        if (!HasName(third, RatingNames) && (HasName(user, RatingNames) || HasName(item, RatingNames) || HasName(rest, RatingNames)))
            throw Fail(number, "the columns are in another order than user, item, rating", rest, Reorder);
        if (HasName(item, UserNames) && !HasName(user, UserNames))
            throw Fail(number, "the columns are in another order than user, item, rating", item, Reorder);
        return HasName(third, RatingNames) || IsName(user, UserNames);
    }

    private static bool IsName(ReadOnlySpan<byte> field, string[] names) => Array.IndexOf(names, Name(field)) >= 0;

    private static bool HasName(ReadOnlySpan<byte> field, string[] names)
    {
        string name = Name(field);
        return Array.Exists(names, one => name.Contains(one, StringComparison.Ordinal));
    }

    private static string Name(ReadOnlySpan<byte> field) => Encoding.ASCII.GetString(field).ToLowerInvariant()
        .Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);

    private ReadOnlySpan<byte> Checked(ReadOnlySpan<byte> id, ReadOnlySpan<byte> line, long number)
    {
        if (id.IsEmpty)
            throw Fail(number, "an id is empty", line);
        if (id.Length > LongestId)
            throw Fail(number, $"an id is longer than {LongestId} bytes", id);
        if (id.IndexOfAnyInRange((byte)0, (byte)0x1f) >= 0 || id.Contains((byte)0x7f))
            throw Fail(number, "an id has control characters", id);
        return id;
    }

    private void Reserve()
    {
        _growth.Reserve(ref _userOf, _count, 1, "ratings");
        _growth.Reserve(ref _itemOf, _count, 1, "ratings");
        _growth.Reserve(ref _values, _count, 1, "ratings");
    }

    private InputException Fail(long number, string what, ReadOnlySpan<byte> text, string remedy = Form) =>
        TextFile.Fail(source, number, what, text, remedy);
}
