using System;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;

namespace HpAsyncPs.Monitoring;

/// <summary>The page at /: one document of Page/monitor.html with its style and script inside. It asks for nothing but this port.</summary>
internal static class Page
{
    private const string StyleMark = "/*style*/";
    private const string ScriptMark = "/*script*/";

    private static readonly string Style = Resource("monitor.css");
    private static readonly string Script = Resource("strips.js") + Resource("monitor.js");

    private static readonly byte[] Document = Encoding.UTF8.GetBytes(
        Resource("monitor.html").Replace(StyleMark, Style, StringComparison.Ordinal).Replace(ScriptMark, Script, StringComparison.Ordinal));

    private static readonly string Policy =
        $"default-src 'none'; connect-src 'self'; img-src data:; style-src '{HashOf(Style)}'; script-src '{HashOf(Script)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static async Task AnswerAsync(HttpContext context)
    {
        HttpResponse response = context.Response;
        response.Headers.ContentSecurityPolicy = Policy;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = Document.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
            await response.Body.WriteAsync(Document, context.RequestAborted).ConfigureAwait(false);
    }

    private static string HashOf(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string Resource(string name)
    {
        using Stream stream = typeof(Page).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not in the program: it was built without Page/");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
