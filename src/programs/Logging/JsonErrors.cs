using System;
using System.IO;
using System.Text;
using System.Threading;

namespace HpAsyncPs.Programs;

/// <summary>Standard error where lines are JSON: whatever is written there as text, by whom ever, becomes an object a line.</summary>
/// <param name="to">The real one.</param>
/// <param name="program">Name of the program, which begins lines of text.</param>
internal sealed class JsonErrors(TextWriter to, string program) : TextWriter
{
    private readonly Lock _lock = new();
    private readonly StringBuilder _line = new();
    private readonly string _prefix = program + ": ";

    /// <inheritdoc/>
    public override Encoding Encoding => to.Encoding;

    /// <summary>A line that is an object already.</summary>
    public void WriteFormed(string line)
    {
        lock (_lock)
            to.WriteLine(line);
    }

    /// <inheritdoc/>
    public override void Write(char value) => Write([value]);

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    /// <inheritdoc/>
    public override void Write(string? value) => Write(value.AsSpan());

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Write($"{value}\n".AsSpan());

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer)
    {
        lock (_lock)
        {
            foreach (char c in buffer)
            {
                if (c == '\n')
                    End();
                else if (c != '\r')
                    _line.Append(c);
            }
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        lock (_lock)
            to.Flush();
    }

    private void End()
    {
        string text = _line.ToString();
        _line.Clear();
        if (text.StartsWith(_prefix, StringComparison.Ordinal))
            text = text[_prefix.Length..];
        if (text.Length > 0)
            to.WriteLine(ProgramLog.Form(text));
    }
}
