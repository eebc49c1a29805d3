using System;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace HpAsyncPs.Learning.Output.Report;

/// <summary>
/// Grows a page that is HTML and well-formed XML. It takes interpolated strings only: what the programmer wrote is markup,
/// whatever fills the holes is text and escaped. So nothing that a user or a peer named can become markup.
/// </summary>
internal sealed class Markup
{
    private readonly StringBuilder _text = new();

    public Markup Add([InterpolatedStringHandlerArgument("")] ref Piece piece)
    {
        _ = piece;
        return this;
    }

    /// <summary>Marks where a part begins: text is escaped, so nothing else can look like a mark.</summary>
    public void Begin(string part) => _text.Append(BeginOf(part));

    /// <summary>Marks where a part ends.</summary>
    public void End(string part) => _text.Append(EndOf(part));

    /// <summary>A part as it stands in another page of this program, which has escaped it; empty if it is not there.</summary>
    public static string PartOf(string page, string part)
    {
        int begin = page.IndexOf(BeginOf(part), StringComparison.Ordinal), end = page.IndexOf(EndOf(part), StringComparison.Ordinal);
        return begin < 0 || end < begin ? "" : page[(begin + BeginOf(part).Length)..end];
    }

    /// <summary>Adds what <see cref="PartOf"/> found.</summary>
    public void AddPart(string part) => _text.Append(part);

    private static string BeginOf(string part) => $"<!-- begin {part} -->\n";

    private static string EndOf(string part) => $"<!-- end {part} -->\n";

    public override string ToString() => _text.ToString();

    private void Escape(ReadOnlySpan<char> text)
    {
        for (int j = 0; j < text.Length; j++)
        {
            char c = text[j];
            switch (c)
            {
                case '<':
                    _text.Append("&lt;");
                    break;
                case '>':
                    _text.Append("&gt;");
                    break;
                case '&':
                    _text.Append("&amp;");
                    break;
                case '"':
                    _text.Append("&quot;");
                    break;
                case '\'':
                    _text.Append("&#39;");
                    break;
                default:
                    if (char.IsHighSurrogate(c) && j + 1 < text.Length && char.IsLowSurrogate(text[j + 1]))
                        _text.Append(c).Append(text[++j]);
                    else
                        _text.Append(IsAllowed(c) ? c : '\uFFFD');
                    break;
            }
        }
    }

    /// <summary>XML has no place for control characters, halves of surrogate pairs, and two more.</summary>
    private static bool IsAllowed(char c) => c is '\t' or '\n' or '\r' || (c >= ' ' && !char.IsSurrogate(c) && c < '\uFFFE');

    [InterpolatedStringHandler]
    public readonly ref struct Piece
    {
        private readonly Markup _page;

        public Piece(int literalLength, int formattedCount, Markup page)
        {
            _ = literalLength + formattedCount;
            _page = page;
        }

        public void AppendLiteral(string value) => _page._text.Append(value);

        public void AppendFormatted(string? value) => _page.Escape(value);

        public void AppendFormatted(long value) => _page._text.Append(CultureInfo.InvariantCulture, $"{value}");

        public void AppendFormatted(double value, string format) => _page.Escape(value.ToString(format, CultureInfo.InvariantCulture));

        /// <summary>A coordinate; charts leave out what is not finite before they come here.</summary>
        public void AppendFormatted(double value) => _page._text.Append(CultureInfo.InvariantCulture, $"{value:0.##}");
    }
}
