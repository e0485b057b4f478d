using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Hardware;
using Twin.Hardware.Coding;
using Twin.Silo.Embedded;
using Twin.Silo.Tests.Engine;

namespace Twin.Silo.Tests.Ledger;

/// <summary>
/// A small fleet about which something is asked and decided: three meters, requests to disconnect, persons who approve,
/// freeze and suppress.
/// </summary>
internal static class AnsweredFleet
{
    /// <summary>Monday 2024-10-07, 09:00: hours in which supplies may be switched off.</summary>
    private const int Day = Feed.FirstDay + 3;
    public const long Morning = Day * 86_400L + 9 * 3_600;

    public static readonly Actor Anna = new("Anna", "key a"), Bert = new("Bert", "key b"), Cara = new("Cara", "key c");

    public static EmbeddedFleet Open(string path) =>
        EmbeddedFleet.Open(new EmbeddedOptions { DataPath = path, Shards = 2 }, new TwinFactory(), null);

    /// <summary>Ordinary customers with a morning of readings, and a work order each.</summary>
    public static async Task Found(IFleet fleet, int meters)
    {
        var batch = new InputBatch("registry");
        var values = new int[24];
        for (var m = 0; m < meters; m++)
        {
            batch.Add(Feed.Seen(m));
            batch.Add(new MeterRelation(Feed.Meter(m), $"M{m}", MeterRole.Customer, "F1", "ZX", "1.0", "L7", "",
                $"UP{m}", "L1", "", "", "R1", CustomerCategory.Ordinary, Day - 5, int.MaxValue));
            values.AsSpan().Fill(150 + m);
            var bytes = new ByteWriter();
            ReadingBlock.WriteRaw(bytes, Feed.Meter(m), Channel.Import, 30, (Day - 1) * 1_440L, values, [], 0);
            batch.Add(bytes.Written);
            batch.Add(new WorkOrder(Feed.Meter(m), new UnixTime(Morning), $"WO-{m}", ushort.MaxValue,
                new UnixTime(Morning - 60), new UnixTime(Morning + 86_400), "", ""));
        }
        await Do(fleet, batch);
    }

    public static async Task Do(IFleet fleet, InputBatch batch) =>
        Assert.All((await fleet.Send(batch)).Items, i => Assert.Equal("", i.Status == AdmissionStatus.Rejected
            ? i.Reason : ""));

    public static Task Do(IFleet fleet, params Input[] acts) => Do(fleet, Feed.Batch("acts", acts));

    public static Task Sweep(IFleet fleet, long seconds) =>
        fleet.Send(Feed.Batch("host", new Sweep(new UnixTime(Morning + seconds))));

    public static CommandRequest Ask(int meter, long seconds, ResponseRung rung) => new(Feed.Meter(meter),
        new UnixTime(Morning + seconds), Anna, $"{rung}-{meter}-{seconds}", rung, $"WO-{meter}", "moved out");

    /// <summary>Approves what waits for approval.</summary>
    public static async Task Approve(IFleet fleet, long seconds, params Actor[] persons)
    {
        foreach (var person in persons)
        {
            foreach (var r in (await Responses(fleet)).Where(r => r.State == ResponseState.Proposed && r.Needed > 0))
                await Do(fleet, new ResponseAct(r.Case, new UnixTime(Morning + seconds), person,
                    ResponseActKind.Approve, r.Number, default, "seen"));
        }
    }

    public static async Task<List<ResponseRecord>> Responses(IFleet fleet)
    {
        var all = new List<ResponseRecord>();
        foreach (var key in await fleet.Keys(TwinKind.Case, 0, 100_000, default))
            all.AddRange(CaseView.From(key, (await fleet.State(key, null, default))!).Responses);
        return all;
    }

    /// <summary>Requests, approvals, a freeze and its thaw, a suppression, and what came of them.</summary>
    public static async Task Live(IFleet fleet)
    {
        await Found(fleet, 3);
        await Do(fleet, Ask(0, 0, ResponseRung.Disconnect), Ask(1, 0, ResponseRung.Disconnect));
        await Sweep(fleet, 60);
        await Approve(fleet, 90, Bert, Cara);
        await Sweep(fleet, 120);
        await Do(fleet, new FreezeAct(new UnixTime(Morning + 130), Anna, true, "look first"),
            new Suppression(new UnixTime(Morning + 130), Anna, "S-1", null, null, "feeder:F9", new UnixTime(Morning),
                new UnixTime(Morning + 3_600), "known"));
        await Do(fleet, Ask(2, 140, ResponseRung.Disconnect));
        await Sweep(fleet, 180);
        await Do(fleet, new FreezeAct(new UnixTime(Morning + 190), Anna, false, "fine"));
        await Do(fleet, new FreezeAct(new UnixTime(Morning + 200), Bert, false, "fine"));
        for (var s = 300; s <= 6 * 3_600; s += 300) await Sweep(fleet, s);
    }
}
