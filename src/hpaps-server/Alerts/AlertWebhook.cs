using System;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading;
using System.Threading.Tasks;
using HpAsyncPs.Server.Monitoring;

namespace HpAsyncPs.ServerProgram.Alerts;

/// <summary>Posts each alert as JSON to an address of the user's. Certificates are those that the system trusts. It does not follow redirects: the alert would go where nobody has said.</summary>
internal sealed class AlertWebhook : IAlertWay, IDisposable
{
    private const int Attempts = 2;
    private const int MostHeaderKilobytes = 16;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Uri _address;
    private readonly TimeSpan _limit;
    private readonly HttpClient _client;

    /// <param name="address">Where to.</param>
    /// <param name="limit">How long an attempt may take.</param>
    public AlertWebhook(Uri address, TimeSpan limit)
    {
        (_address, _limit) = (address, limit);
#pragma warning disable CA2000 // the client owns it
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            MaxResponseHeadersLength = MostHeaderKilobytes,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
#pragma warning restore CA2000
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("hpaps-server", null));
    }

    /// <inheritdoc/>
    public string? Tell(Alert alert, byte[] json, AlertOrigin origin, CancellationToken stop)
    {
        for (int attempt = 1; ; attempt++)
        {
            (string? failure, bool mayPass) = PostAsync(json, stop).GetAwaiter().GetResult();
            if (failure is null || !mayPass || attempt == Attempts || stop.WaitHandle.WaitOne(Pause))
                return failure;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<(string? Failure, bool MayPass)> PostAsync(byte[] json, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(_limit);
        try
        {
            using var content = new ByteArrayContent(json);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var request = new HttpRequestMessage(HttpMethod.Post, _address) { Content = content };
            // What it answers beyond its headers is not read.
            using HttpResponseMessage answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            int code = (int)answer.StatusCode;
            return code switch
            {
                >= 200 and < 300 => (null, false),
                >= 300 and < 400 => ($"answered {code}{(answer.Headers.Location is { } where ? $" to {where.GetLeftPart(UriPartial.Authority, _address)}" : "")}; redirects are not followed: give the address that it leads to", false),
                _ => ($"answered {code}", code is (int)HttpStatusCode.TooManyRequests or (int)HttpStatusCode.RequestTimeout or >= 500),
            };
        }
        catch (OperationCanceledException)
        {
            return stop.IsCancellationRequested ? ($"did not answer within the {Alerting.LastWords.TotalSeconds:0} s that there are at the end of the job", false) : ($"did not answer within {_limit.TotalSeconds:0.#} s", true);
        }
        catch (HttpRequestException e)
        {
            return ($"cannot be reached: {e.InnerException?.Message ?? e.Message}", true);
        }
    }
}

/// <summary>Addresses as they may be shown: what is behind the host may be a secret.</summary>
internal static class ShownAddress
{
    public static string GetLeftPart(this Uri where, UriPartial part, Uri from) => where.IsAbsoluteUri ? where.GetLeftPart(part) : Uri.TryCreate(from, where, out Uri? whole) ? whole.GetLeftPart(part) : "what is no address";
}
