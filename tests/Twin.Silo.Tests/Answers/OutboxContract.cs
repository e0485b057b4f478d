using System.Text.Json.Nodes;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Gateways;
using Twin.Silo.Soc;

namespace Twin.Silo.Tests.Answers;

/// <summary>What sinks and the gateway may rely on, whatever engine stores the ledger.</summary>
public abstract class OutboxContract : IDisposable
{
    private protected TestDirectory Files { get; } = new();

    public void Dispose()
    {
        Files.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Opens the same fleet again and again.</summary>
    private protected abstract Task<IFleet> Open();

    private protected async Task Entries_arrive_at_least_once_and_in_order_over_a_restart()
    {
        var path = Files.Sub("soc.ndjson");
        long end, noted;
        await using (var fleet = await Open())
        {
            await AnswerScene.Fill(fleet, 8, AnswerScene.Monday);
            end = fleet.Ledger.End.Number;
            Assert.True(end > 60, $"the ledger has {end} entries");
            // Half of it is delivered; then the process dies between the receiver and the cursor.
            var half = new HalfLedger(fleet.Ledger, end / 2);
            await using var sink = new FileSink(path, SocFormat.Ocsf, 10_000_000, 3);
            var first = new SocDispatcher("file", sink, half, TimeProvider.System, 1);
            while (await first.Step(default)) { }
            half.Upto = end * 3 / 4;
            half.IsDead = true;
            await Assert.ThrowsAsync<IOException>(() => first.Step(default));
            noted = fleet.Ledger.Cursor("sink/file");
        }
        Assert.Equal(end / 2, noted);
        await using (var fleet = await Open())
        {
            Assert.Equal(noted, fleet.Ledger.Cursor("sink/file"));
            await using var sink = new FileSink(path, SocFormat.Ocsf, 10_000_000, 3);
            var second = new SocDispatcher("file", sink, fleet.Ledger, TimeProvider.System, 1);
            while (await second.Step(default)) { }
            Assert.Equal(end, fleet.Ledger.Cursor("sink/file"));
            Require(fleet, await File.ReadAllLinesAsync(path), end / 2, end * 3 / 4);
        }
    }

    private static void Require(IFleet fleet, string[] lines, long noted, long torn)
    {
        var expected = fleet.Ledger.Entries(0, 10_000).Select(SocEvent.Of).OfType<SocEvent>().ToList();
        var got = lines.Select(l => JsonNode.Parse(l)!["metadata"]!).Select(m => (Id: (string)m["uid"]!,
            Number: (long)m["sequence"]!)).ToList();
        // What was delivered and not noted comes twice, and nothing else does.
        Assert.Equal(expected.Where(e => e.Number <= torn).Concat(expected.Where(e => e.Number > noted))
            .Select(e => (e.Id, e.Number)), got);
        foreach (var of in got.DistinctBy(g => g.Id).GroupBy(g => g.Id.Split('-')[0]))
            Assert.Equal(of.Select(g => g.Number).Order(), of.Select(g => g.Number));
    }

    private protected async Task Orders_go_out_under_their_keys_over_a_restart()
    {
        await using var end = new LocalHeadEnd();
        var now = new UnixTime(AnswerScene.Monday + 300);
        HeadEndGateway Gateway() => new(new HeadEndOptions(end.Address, null, false) { Retries = 0 }, () => now);
        await using (var fleet = await Open())
        {
            await AnswerScene.Fill(fleet, 4, AnswerScene.Monday);
            using var gateway = Gateway();
            var dying = new HalfLedger(fleet.Ledger, long.MaxValue) { IsDead = true };
            await Assert.ThrowsAsync<IOException>(() => new OrderDispatcher(dying, fleet, gateway).Step(default));
            Assert.Equal(0, fleet.Ledger.Cursor(OrderDispatcher.Cursor));
        }
        await using (var fleet = await Open())
        {
            using var gateway = Gateway();
            var orders = new OrderDispatcher(fleet.Ledger, fleet, gateway);
            await orders.Step(default);
            await orders.Step(default);
            Assert.Equal((4, 8), (end.Orders.Select(o => o.Key).Distinct().Count(), end.Orders.Count));
            Assert.True(fleet.Ledger.Cursor(OrderDispatcher.Cursor) > 0);
            for (var n = 1; n <= 4; n++)
                Assert.Equal(ResponseState.Done, (await AnswerScene.View(fleet, n)).Responses.Single().State);
        }
    }
}

/// <summary>The embedded engine: reopened from its directory.</summary>
public sealed class EmbeddedOutboxTests : OutboxContract
{
    private protected override Task<IFleet> Open() =>
        Task.FromResult<IFleet>(AnswerScene.Open(Files.Sub("data")));

    [Fact]
    public Task Sinks() => Entries_arrive_at_least_once_and_in_order_over_a_restart();

    [Fact]
    public Task Orders() => Orders_go_out_under_their_keys_over_a_restart();
}
