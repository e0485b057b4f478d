using System.Net;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Twin.Grains.Cases;
using Twin.Hardware;
using Twin.Silo.Gateways;

namespace Twin.Silo.Tests.Gateways;

/// <summary>Against a head-end on a real socket, which fails as it is told to.</summary>
public class HeadEndGatewayTests
{
    private static readonly UnixTime Now = new(1_767_953_700);

    private static ResponseRecord Order(int number) => new(new TwinKey(TwinKind.Case, 0xA1), number,
        new TwinKey(TwinKind.Meter, 7), "MT-7", ResponseRung.Disconnect, Enforcer.MetrologyCore,
        ResponseState.Executing, new Actor("", ""), "", "WO-1", 500, 2, [], Now, Now, Now, default, default, null,
        false, "danger", "");

    private sealed class HeadEnd : IAsyncDisposable
    {
        private readonly WebApplication _app;

        public HeadEnd(params int[] statuses)
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
            builder.Logging.ClearProviders();
            _app = builder.Build();
            _app.MapPost("/controls", async context =>
            {
                using var reader = new StreamReader(context.Request.Body);
                var xml = XDocument.Parse(await reader.ReadToEndAsync());
                var status = Asked.Count < statuses.Length ? statuses[Asked.Count] : 200;
                Asked.Add((context.Request.Headers["Idempotency-Key"]!,
                    xml.Descendants().First(e => e.Name.LocalName == "CorrelationID").Value));
                if (status == 0) context.Abort();
                else context.Response.StatusCode = status;
            });
            _app.StartAsync().GetAwaiter().GetResult();
        }

        public List<(string Key, string Correlation)> Asked { get; } = [];

        public Uri Address => new(_app.Urls.First() + "/controls");

        public ValueTask DisposeAsync() => _app.DisposeAsync();
    }

    private static HeadEndGateway Gateway(HeadEnd end, int retries = 4) => new(
        new HeadEndOptions(end.Address, new Uri("http://localhost/replies"), false)
        {
            Retries = retries, Pause = TimeSpan.FromMilliseconds(1), Break = TimeSpan.FromMinutes(10),
        }, () => Now);

    private static MemoryStream Reply(string correlation, string result) => new(Encoding.UTF8.GetBytes(
        $"<ResponseMessage><Header><CorrelationID>{correlation}</CorrelationID></Header>"
            + $"<Reply><Result>{result}</Result>"
        + "<Error><code>5.6</code></Error></Reply></ResponseMessage>"));

    [Fact]
    public async Task What_fails_or_drops_is_tried_again_under_the_same_key()
    {
        await using var end = new HeadEnd(500, 0, 503);
        using var gateway = Gateway(end);
        var outcome = await gateway.Give(Order(1), CancellationToken.None);
        Assert.Equal((ResponseResult.Accepted, 1, false), (outcome.Result, outcome.Response, outcome.IsUndo));
        Assert.Equal(4, end.Asked.Count);
        Assert.Equal([("\"00000000000000a1-1-6960d524\"", "00000000000000a1-1-6960d524")], end.Asked.Distinct());
    }

    [Fact]
    public async Task What_is_refused_is_not_tried_again()
    {
        await using var end = new HeadEnd(422);
        using var gateway = Gateway(end);
        var outcome = await gateway.Give(Order(1), CancellationToken.None);
        Assert.Equal((ResponseResult.Refused, "422", 1), (outcome.Result, outcome.Code, end.Asked.Count));
    }

    [Fact]
    public async Task After_many_failures_nothing_is_tried_for_a_while()
    {
        await using var end = new HeadEnd([.. Enumerable.Repeat(500, 100)]);
        using var gateway = Gateway(end, retries: 0);
        for (var i = 1; i <= 20; i++)
            await Assert.ThrowsAsync<GatewayUnavailableException>(async () =>
                await gateway.Give(Order(i), CancellationToken.None));
        Assert.Equal(8, end.Asked.Count);
    }

    [Fact]
    public async Task Replies_come_late_twice_and_in_any_order_and_none_is_lost()
    {
        await using var end = new HeadEnd();
        using var before = Gateway(end);
        await before.Give(Order(1), CancellationToken.None);
        // A process that was started afterwards understands the replies all the same.
        using var gateway = Gateway(end);
        Assert.True(gateway.Receive(Reply("00000000000000a1-2-6960d524", "FAILED")));
        Assert.True(gateway.Receive(Reply("00000000000000a1-1-6960d524", "OK")));
        Assert.True(gateway.Receive(Reply("00000000000000a1-1-6960d524u", "OK")));
        Assert.True(gateway.Receive(Reply("00000000000000a1-1-6960d524", "OK")));
        Assert.ThrowsAny<Exception>(() => gateway.Receive(Reply("somebody else's", "OK")));
        var taken = await gateway.Take(CancellationToken.None);
        Assert.Equal([(2, false, ResponseResult.Failed, "5.6"), (1, false, ResponseResult.Done, "5.6"),
            (1, true, ResponseResult.Done, "5.6"), (1, false, ResponseResult.Done, "5.6")],
            taken.Select(o => (o.Response, o.IsUndo, o.Result, o.Code)));
        Assert.Empty(await gateway.Take(CancellationToken.None));
    }
}
