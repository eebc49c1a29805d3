using System.IO;
using System.Text;

namespace HpAsyncPs.Cli.Progress;

/// <summary>Standard error on a terminal that may close: what cannot be shown any more must not end the training.</summary>
internal sealed class ForgivingWriter(TextWriter to) : TextWriter
{
    public override Encoding Encoding => to.Encoding;

    public override void Write(char value) => Try(() => to.Write(value));

    public override void Write(string? value) => Try(() => to.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => to.Write(buffer, index, count));

    public override void Flush() => Try(to.Flush);

    private static void Try(System.Action write)
    {
        try
        {
            write();
        }
        catch (IOException)
        {
            // Nobody is there to read it.
        }
    }
}
