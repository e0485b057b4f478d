using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Hardware;
using Twin.Silo.Embedded;

namespace Twin.Silo.Tests.Answers;

/// <summary>
/// A directory with real cases under the policy that MeterTwin comes with: certificates of ordinary customers' meters
/// lead nowhere, so that each gets a case and writes to it are blocked.
/// </summary>
internal static class AnswerScene
{
    /// <summary>Monday 2026-01-12, 08:00 UTC: supplies may be switched off until 14:00.</summary>
    public const long Monday = 1_768_204_800;

    public static MeterId Meter(int n) => MeterId.FromUtilityId("MT-" + n);

    public static TwinKey Case(int n) => CaseKey.Of(Meter(n).Twin, Desk.Security);

    public static Actor Person(string name) => new(name, "key of " + name);

    public static EmbeddedFleet Open(string path) => EmbeddedFleet.Open(
        new EmbeddedOptions { DataPath = path, Shards = 2 }, new TwinFactory(), null);

    public static async Task<EmbeddedFleet> Make(string path, int meters = 2, long start = Monday)
    {
        var fleet = Open(path);
        await Fill(fleet, meters, start);
        return fleet;
    }

    /// <summary>So many cases from that time on, and five minutes of sweeps.</summary>
    public static async Task Fill(IFleet fleet, int meters, long start)
    {
        var (batch, day) = (new InputBatch("registry"), (int)(start / 86_400));
        for (var n = 1; n <= meters; n++)
        {
            batch.Add(new MeterSeen(Meter(n), "MT-" + n, "UTC", 3));
            batch.Add(new MeterRelation(Meter(n), "MT-" + n, MeterRole.Customer, "F-1", "ZX", "1.0", "L7", "", "UP" + n,
                "L1", "", "", "R-1", CustomerCategory.Ordinary, day - 5, int.MaxValue));
        }
        await Send(fleet, batch);
        for (var n = 1; n <= meters; n++) await Distrust(fleet, n, start);
        for (var minute = 1; minute <= 5; minute++) await Sweep(fleet, start + 60 * minute);
    }

    public static Task Distrust(IFleet fleet, int meter, long at) => Do(fleet, new KeyEvent(Meter(meter).Twin,
        new UnixTime(at), KeySlot.DeviceSigning, KeyEventKind.CertificateUntrusted, 1, [], default, "nobody"));

    public static Task Sweep(IFleet fleet, long at) => Do(fleet, new Sweep(new UnixTime(at)));

    public static Task Do(IFleet fleet, Input input)
    {
        var batch = new InputBatch("scene");
        batch.Add(input);
        return Send(fleet, batch);
    }

    private static async Task Send(IFleet fleet, InputBatch batch)
    {
        var receipt = await fleet.Append(batch, CancellationToken.None);
        Assert.All(receipt.Items, i => Assert.True(i.Status == AdmissionStatus.Accepted, i.Reason));
    }

    public static async Task<CaseView> View(IFleet fleet, int meter) =>
        CaseView.From(Case(meter), (await fleet.State(Case(meter), null, CancellationToken.None))!);

    /// <summary>The danger at that meter is confirmed, two persons approve, and the supply goes off.</summary>
    public static async Task<ResponseRecord> Disconnect(IFleet fleet, int meter, long at)
    {
        await Do(fleet, new CaseAct(Case(meter), new UnixTime(at), Person("Anna"), CaseActKind.ConfirmDangerous,
            Disposition.None, "", "smoke at the meter"));
        await Sweep(fleet, at + 60);
        // Telling people is the milder step; that it was enough is not seen.
        for (var minute = 2; minute <= 5; minute++) await Sweep(fleet, at + 60 * minute);
        var wanted = (await View(fleet, meter)).Responses.Single(r => r.Rung == ResponseRung.Disconnect);
        foreach (var person in (string[])["Ben", "Cem"])
            await Do(fleet, new ResponseAct(Case(meter), new UnixTime(at + 400), Person(person),
                ResponseActKind.Approve, wanted.Number, default, ""));
        for (var minute = 7; minute <= 120; minute++)
        {
            await Sweep(fleet, at + 60 * minute);
            var now = (await View(fleet, meter)).Responses.Single(r => r.Number == wanted.Number);
            if (now.State == ResponseState.Executing) return now;
        }
        throw new InvalidOperationException("The disconnection never went out.");
    }
}
