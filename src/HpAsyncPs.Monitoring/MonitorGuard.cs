using System;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Tasks;
using HpAsyncPs.Transport;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace HpAsyncPs.Monitoring;

/// <summary>
/// What a request must be to be answered: one that only reads, for this host, of somebody who may. Off loopback the key is asked for. On loopback none is, and the Host header must name
/// loopback: a page of somebody else in a browser of this host, whose name was made to mean 127.0.0.1 (DNS rebinding), gets nothing.
/// </summary>
internal sealed class MonitorGuard
{
    private const string Bearer = "Bearer ";
    private const string Basic = "Basic ";

    private readonly string _host;
    private readonly bool _isLoopback;
    private readonly byte[]? _key; // digest of it: of one length, whatever is shown

    /// <param name="host">As it was given.</param>
    /// <param name="isLoopback">Only processes of this host reach the port.</param>
    /// <param name="token">Of the job, or null.</param>
    public MonitorGuard(string host, bool isLoopback, Token? token)
    {
        (_host, _isLoopback) = (host, isLoopback);
        _key = isLoopback || token is null ? null : SHA256.HashData(Encoding.ASCII.GetBytes(token.MonitorKey()));
    }

    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        HttpResponse response = context.Response;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.XFrameOptions = "DENY";
        response.Headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        response.Headers.CacheControl = "no-store";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            response.Headers.Allow = "GET, HEAD";
            return Refuse(response, StatusCodes.Status405MethodNotAllowed, "This port is for reading: use GET or HEAD. Nothing of the job can be changed here.");
        }

        if (_isLoopback && !IsOurs(context.Request.Host))
            return Refuse(response, StatusCodes.Status421MisdirectedRequest, $"This port is for this host alone: ask for 127.0.0.1 or localhost{(_host is "127.0.0.1" or "localhost" ? "" : $" or {_host}")}, not for '{context.Request.Host.Host}'.");
        if (_key is not null && !HasKey(context.Request.Headers.Authorization))
        {
            response.Headers.WWWAuthenticate = "Basic realm=\"HpAsyncPs monitor\", charset=\"UTF-8\"";
            return Refuse(response, StatusCodes.Status401Unauthorized,
                "The key of this job's monitoring is needed, as 'Authorization: Bearer KEY' or as the password of any user. "
                + "It is what this says: printf 'HpAsyncPs monitor' | openssl dgst -sha256 -hmac \"$(cat TOKEN_FILE)\" -r | cut -c 1-64");
        }

        FirstRequest.LetIn(context);
        return next(context);
    }

    internal static Task Refuse(HttpResponse response, int code, string reason)
    {
        response.StatusCode = code;
        response.ContentType = "text/plain; charset=utf-8";
        response.ContentLength = Encoding.UTF8.GetByteCount(reason) + 1;
        return HttpMethods.IsHead(response.HttpContext.Request.Method) ? Task.CompletedTask : response.WriteAsync(reason + "\n", response.HttpContext.RequestAborted);
    }

    private bool IsOurs(HostString host)
    {
        string name = host.Host is ['[', .. var inner, ']'] ? inner : host.Host;
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || name.Equals(_host, StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(name, out IPAddress? address) && IPAddress.IsLoopback(address));
    }

    /// <summary>It takes the same time whatever is wrong with it.</summary>
    private bool HasKey(string? authorization)
    {
        string shown = "";
        if (authorization is not null && authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            shown = authorization[Bearer.Length..].Trim();
        else if (authorization is not null && authorization.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
            shown = PasswordOf(authorization[Basic.Length..].Trim());
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(shown)), _key);
    }

    private static string PasswordOf(string coded)
    {
        byte[] plain = new byte[coded.Length];
        if (!Convert.TryFromBase64String(coded, plain, out int length))
            return "";
        string pair = Encoding.UTF8.GetString(plain, 0, length);
        int colon = pair.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? "" : pair[(colon + 1)..];
    }
}
