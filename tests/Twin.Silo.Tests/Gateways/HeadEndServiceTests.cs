using System.Net;
using Microsoft.AspNetCore.Builder;
using Twin.Api;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Gateways;
using Twin.Silo.Tests.Answers;
using Twin.Silo.Tests.Crash;

namespace Twin.Silo.Tests.Gateways;

/// <summary>Orders of the ledger, out to a head-end and back through the service's own door.</summary>
public sealed class HeadEndServiceTests : IDisposable
{
    private readonly TestDirectory _directory = new();
    private long _now = AnswerScene.Monday + 300;

    public void Dispose() => _directory.Dispose();

    private sealed class Service : IAsyncDisposable
    {
        public required EmbeddedFleet Fleet { get; init; }
        public required WebApplication App { get; init; }
        public required HeadEndGateway Gateway { get; init; }
        public required OrderDispatcher Orders { get; init; }

        public async ValueTask DisposeAsync()
        {
            await App.DisposeAsync();
            Gateway.Dispose();
            await Fleet.DisposeAsync();
        }
    }

    private async Task<Service> Start(EmbeddedFleet fleet, LocalHeadEnd end)
    {
        HeadEndGateway? gateway = null;
        var app = await ApiHost.Start(fleet, 0, ServiceMode.Live, default, null,
            (message, isJson) => gateway!.Read(message, isJson));
        gateway = new HeadEndGateway(new HeadEndOptions(end.Address,
            new Uri(ApiHost.Address(app) + "/api/v1/head-end/replies"), false)
        {
            Retries = 0,
        }, () => new UnixTime(_now));
        return new Service
        {
            Fleet = fleet, App = app, Gateway = gateway, Orders = new OrderDispatcher(fleet.Ledger, fleet, gateway),
        };
    }

    private async Task Until(EmbeddedFleet fleet, long minutes)
    {
        for (var to = _now + 60 * minutes; _now < to;)
            await AnswerScene.Sweep(fleet, _now = Math.Min(to, _now + 600));
    }

    private static async Task<ResponseRecord> Blocking(IFleet fleet) =>
        (await AnswerScene.View(fleet, 1)).Responses.Single(r => r.Rung == ResponseRung.BlockWrites);

    private static async Task<int> Unconfirmed(EmbeddedFleet fleet) => (await fleet.Findings(
        new FindingQuery(null, FindingKind.ResponseUnconfirmed, null, null, 10), default)).Count;

    [Fact]
    public async Task An_order_goes_out_once_and_its_reply_is_in_the_journal_when_it_is_answered()
    {
        await using var end = new LocalHeadEnd();
        await using var service = await Start(await AnswerScene.Make(_directory.Sub("data"), 1), end);
        await service.Orders.Step(default);
        await service.Orders.Step(default);
        var order = Assert.Single(end.Orders);
        Assert.Equal(("MT-1", "urn:metertwin:end-device-control:1:blockwrites"), (order.Device, order.Type));
        Assert.Equal($"\"{order.Correlation}\"", order.Key);
        Assert.Equal(ResponseState.Executing, (await Blocking(service.Fleet)).State);
        Assert.Equal(HttpStatusCode.OK, await end.Reply(order, "OK"));
        Assert.Equal(ResponseState.Done, (await Blocking(service.Fleet)).State);
        Assert.Equal(HttpStatusCode.OK, await end.Reply(order, "OK"));
        Assert.Equal(ResponseState.Done, (await Blocking(service.Fleet)).State);
        // It holds for a week, and is taken back then.
        await Until(service.Fleet, 7 * 24 * 60 + 10);
        await service.Orders.Step(default);
        Assert.Equal(order.Type + ":undo", end.Orders[1].Type);
        Assert.Equal(order.Correlation + "u", end.Orders[1].Correlation);
        Assert.Equal(2, end.Orders.Count);
    }

    [Fact]
    public async Task A_reply_that_failed_or_answers_nobody_is_told_apart()
    {
        await using var end = new LocalHeadEnd();
        await using var service = await Start(await AnswerScene.Make(_directory.Sub("data"), 1), end);
        await service.Orders.Step(default);
        var order = end.Orders.Single();
        Assert.Equal(HttpStatusCode.BadRequest, await end.Reply(order, "OK", "of somebody else"));
        Assert.Equal(HttpStatusCode.BadRequest, await end.Reply(order, "PERHAPS"));
        Assert.Equal(ResponseState.Executing, (await Blocking(service.Fleet)).State);
        Assert.Equal(HttpStatusCode.OK, await end.Reply(order, "FAILED"));
        var failed = await Blocking(service.Fleet);
        Assert.Equal((ResponseState.Failed, "head-end: Failed 5.6"), (failed.State, failed.Reason));
    }

    [Fact]
    public async Task A_reply_that_is_lost_is_found_and_said_and_still_counts_when_it_comes()
    {
        await using var end = new LocalHeadEnd();
        await using var service = await Start(await AnswerScene.Make(_directory.Sub("data"), 1), end);
        await service.Orders.Step(default);
        await Until(service.Fleet, 110);
        Assert.Equal((ResponseState.Executing, 0),
            ((await Blocking(service.Fleet)).State, await Unconfirmed(service.Fleet)));
        await Until(service.Fleet, 20);
        var given = await Blocking(service.Fleet);
        Assert.Equal((ResponseState.Failed, "no outcome arrived"), (given.State, given.Reason));
        Assert.Equal(1, await Unconfirmed(service.Fleet));
        Assert.Equal(HttpStatusCode.OK, await end.Reply(end.Orders[0], "OK"));
        Assert.Equal(ResponseState.Done, (await Blocking(service.Fleet)).State);
    }

    [Fact]
    public async Task While_the_head_end_takes_nothing_orders_wait_and_then_go_out()
    {
        await using var end = new LocalHeadEnd { Status = 503 };
        await using var service = await Start(await AnswerScene.Make(_directory.Sub("data"), 1), end);
        await service.Orders.Step(default);
        Assert.Contains("503", service.Orders.Trouble);
        Assert.Equal((ResponseState.Executing, 0L), ((await Blocking(service.Fleet)).State, service.Orders.Outcomes));
        end.Status = 200;
        await service.Orders.Step(default);
        Assert.Null(service.Orders.Trouble);
        Assert.Equal(2, end.Orders.Count);
        Assert.Single(end.Orders.Select(o => o.Key).Distinct());
    }

    [Fact]
    public async Task Messages_of_the_standard_come_in_as_inputs_and_a_flaw_adds_nothing()
    {
        await using var end = new LocalHeadEnd();
        await using var service = await Start(await AnswerScene.Make(_directory.Sub("data"), 1), end);
        using var client = new HttpClient { BaseAddress = new Uri(ApiHost.Address(service.App)) };
        async Task<(HttpStatusCode, string)> Post(string payload)
        {
            using var content = new StringContent($"<EventMessage><Payload>{payload}</Payload></EventMessage>");
            content.Headers.ContentType = new("application/xml");
            using var response = await client.PostAsync("/api/v1/observations", content);
            return (response.StatusCode, await response.Content.ReadAsStringAsync());
        }
        static string Event(string at) => "<EndDeviceEvent><createdDateTime>" + at + "</createdDateTime>"
            + "<Assets><Names><name>MT-1</name></Names></Assets>"
            + "<EndDeviceEventType ref=\"3.26.0.85\"/></EndDeviceEvent>";
        const string reading = "<MeterReadings><MeterReading><Meter><Names><name>MT-1</name></Names></Meter><Readings>"
            + "<timeStamp>2026-01-12T08:00:00Z</timeStamp><value>7</value>"
            + "<ReadingType ref=\"0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0\"/></Readings></MeterReading></MeterReadings>";
        var before = service.Fleet.Status.Position;
        var (status, text) = await Post("<EndDeviceEvents>" + Event("2026-01-12T07:00:00Z") + Event("yesterday")
            + "</EndDeviceEvents>");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("'yesterday' is no time", text);
        Assert.Equal(before, service.Fleet.Status.Position);
        (status, text) = await Post("<EndDeviceEvents>" + Event("2026-01-12T07:00:00Z") + "</EndDeviceEvents>"
            + reading);
        Assert.True(status == HttpStatusCode.OK, text);
        Assert.Contains("\"rejected\":0", text.Replace(" ", ""));
        (status, text) = await Post("<Nothing/>");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("bad_message", text);
    }

    [Fact]
    public void Without_a_head_end_the_service_says_that_orders_stay()
    {
        using var service = Metertwin.Serve(_directory.Sub("data"), out _);
        Assert.Equal("orders   stay in the ledger: no head-end is set (--head-end)", service.Line("orders"));
    }

    /// <summary>
    /// The service is killed when the head-end has the order and has not answered: the next one gives it again, under
    /// the same key, and takes the reply.
    /// </summary>
    [Fact]
    public async Task A_killed_service_gives_what_it_had_not_noted_again_under_the_same_key()
    {
        var data = _directory.Sub("data");
        var start = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() - 600;
        await (await AnswerScene.Make(data, 1, start)).DisposeAsync();
        await using var end = new LocalHeadEnd();
        string[] flags = ["--head-end", end.Address.ToString(), "--head-end-replies"];
        Metertwin? first = null;
        using var started = new ManualResetEventSlim();
        end.Given = _ =>
        {
            started.Wait();
            first!.Kill();
        };
        using (first = Metertwin.Serve(data, out _, [.. flags, "http://127.0.0.1:9/replies"]))
        {
            started.Set();
            await end.Next();
        }
        end.Given = null;
        using (var second = Metertwin.Serve(data, out var address, [.. flags, "http://127.0.0.1:9/replies"]))
        {
            Assert.Equal($"orders   {end.Address} (xml); replies come to http://127.0.0.1:9/replies",
                second.Line("orders"));
            await end.Next();
            Assert.Equal(2, end.Orders.Count);
            Assert.Equal(end.Orders[0], end.Orders[1]);
            Assert.Equal(HttpStatusCode.OK, await end.Reply(end.Orders[1] with
            {
                ReplyTo = new Uri(address, "/api/v1/head-end/replies").ToString(),
            }, "OK"));
            second.Kill();
        }
        await using var fleet = AnswerScene.Open(data);
        Assert.Equal(ResponseState.Done, (await Blocking(fleet)).State);
    }
}
