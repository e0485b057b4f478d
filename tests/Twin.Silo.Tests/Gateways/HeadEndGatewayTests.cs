using System.Net;
using System.Text;
using System.Text.Json.Nodes;
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
                var text = await reader.ReadToEndAsync();
                var status = Asked.Count < statuses.Length ? statuses[Asked.Count] : 200;
                Asked.Add((context.Request.Headers["Idempotency-Key"]!,
                    context.Request.ContentType == "application/json"
                        ? (string)JsonNode.Parse(text)!["header"]!["correlationId"]!
                        : XDocument.Parse(text).Descendants().First(e => e.Name.LocalName == "CorrelationID").Value));
                if (status == 0) context.Abort();
                else context.Response.StatusCode = status;
                if (status == 200) await context.Response.WriteAsync(Answer);
            });
            _app.StartAsync().GetAwaiter().GetResult();
        }

        public List<(string Key, string Correlation)> Asked { get; } = [];

        public string Answer { get; init; } = "";

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
        ResponseOutcome[] taken =
        [
            gateway.Read(Reply("00000000000000a1-2-6960d524", "FAILED"), false),
            gateway.Read(Reply("00000000000000a1-1-6960d524", "OK"), false),
            gateway.Read(Reply("00000000000000a1-1-6960d524u", "OK"), false),
            gateway.Read(new MemoryStream("""
                {"header":{"correlationId":"00000000000000a1-1-6960d524"},"reply":{"result":"OK","code":"5.6"}}
                """u8.ToArray()), true),
        ];
        Assert.Equal([(2, false, ResponseResult.Failed, "5.6"), (1, false, ResponseResult.Done, "5.6"),
            (1, true, ResponseResult.Done, "5.6"), (1, false, ResponseResult.Done, "5.6")],
            taken.Select(o => (o.Response, o.IsUndo, o.Result, o.Code)));
    }

    [Theory]
    [InlineData("somebody else's")]
    [InlineData("00000000000000a1-1")]
    [InlineData("00000000000000a1-0-6960d524")]
    [InlineData("00000000000000a1-1-6960d524uu")]
    [InlineData("00000000000000a1-1-zz")]
    public void A_reply_of_another_correspondence_is_refused(string correlation)
    {
        using var gateway = new HeadEndGateway(new HeadEndOptions(new Uri("http://localhost/"), null, false),
            () => Now);
        Assert.Throws<FormatException>(() => gateway.Read(Reply(correlation, "OK"), false));
    }

    [Theory]
    [InlineData("FAILED", ResponseResult.Failed, "5.6")]
    [InlineData("OK", ResponseResult.Done, "")]
    public async Task Json_goes_out_and_its_answer_counts(string result, ResponseResult expected, string code)
    {
        await using var end = new HeadEnd
        {
            Answer = $$"""{"header":{"correlationId":"x"},"reply":{"result":"{{result}}","code":"5.6"} }""",
        };
        using var gateway = new HeadEndGateway(new HeadEndOptions(end.Address, null, true), () => Now);
        var outcome = await gateway.Give(Order(1), CancellationToken.None);
        Assert.Equal((expected, code), (outcome.Result, outcome.Code));
        Assert.Equal("00000000000000a1-1-6960d524", end.Asked.Single().Correlation);
    }

    [Fact]
    public async Task What_waited_too_long_is_not_given_but_what_takes_back_is()
    {
        await using var end = new HeadEnd();
        var late = new UnixTime(Now.Seconds + HeadEndGateway.MaxAgeSeconds + 1);
        using var gateway = new HeadEndGateway(new HeadEndOptions(end.Address, null, false), () => late);
        var outcome = await gateway.Give(Order(1), CancellationToken.None);
        Assert.Equal(ResponseResult.Refused, outcome.Result);
        Assert.StartsWith("not given: it was ordered at 2026-01-09T10:15:00Z", outcome.Code);
        Assert.Empty(end.Asked);
        outcome = await gateway.Give(Order(1) with { IsUndo = true }, CancellationToken.None);
        Assert.Equal((ResponseResult.Done, 1), (outcome.Result, end.Asked.Count));
    }
}
