using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Twin.Silo.Tests.Answers;

/// <summary>An order as it came. <paramref name="ReplyTo"/>: where the reply is to be posted.</summary>
internal sealed record GivenOrder(string Key, string Correlation, string Device, string Type, string ReplyTo);

/// <summary>A head-end on a real socket: it takes orders, and replies when the test says so.</summary>
internal sealed class LocalHeadEnd : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client = new();
    private readonly List<GivenOrder> _given = [];
    private readonly SemaphoreSlim _came = new(0);

    public LocalHeadEnd()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        builder.Logging.ClearProviders();
        _app = builder.Build();
        _app.MapPost("/controls", Take);
        _app.StartAsync().GetAwaiter().GetResult();
    }

    /// <summary>Called before an order is answered.</summary>
    public Action<GivenOrder>? Given { get; set; }

    /// <summary>What orders are answered with.</summary>
    public int Status { get; set; } = 200;

    public Uri Address => new(_app.Urls.First() + "/controls");

    public IReadOnlyList<GivenOrder> Orders
    {
        get
        {
            lock (_given) return [.. _given];
        }
    }

    private async Task Take(HttpContext context)
    {
        var xml = await XDocument.LoadAsync(context.Request.Body, LoadOptions.None, context.RequestAborted);
        string Text(string name) => xml.Descendants().FirstOrDefault(e => e.Name.LocalName == name)?.Value ?? "";
        var order = new GivenOrder(context.Request.Headers["Idempotency-Key"]!, Text("CorrelationID"), Text("name"),
            xml.Descendants().First(e => e.Name.LocalName == "EndDeviceControlType").Attribute("ref")!.Value,
            Text("ReplyAddress"));
        lock (_given) _given.Add(order);
        Given?.Invoke(order);
        _came.Release();
        context.Response.StatusCode = Status;
    }

    /// <summary>Waits until one more order has come; a minute is long enough for any machine.</summary>
    public async Task Next() => Assert.True(await _came.WaitAsync(TimeSpan.FromMinutes(1)), "no order came");

    public async Task<HttpStatusCode> Reply(GivenOrder to, string result, string? correlation = null)
    {
        using var content = new StringContent("<ResponseMessage xmlns=\"http://iec.ch/TC57/2011/schema/message\">"
            + "<Header><Verb>reply</Verb><Noun>EndDeviceControls</Noun>"
            + $"<CorrelationID>{correlation ?? to.Correlation}</CorrelationID></Header>"
            + $"<Reply><Result>{result}</Result><Error><code>5.6</code></Error></Reply></ResponseMessage>",
            Encoding.UTF8);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/xml");
        using var response = await _client.PostAsync(new Uri(to.ReplyTo), content);
        return response.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _came.Dispose();
        await _app.DisposeAsync();
    }
}
