using Twin.Hardware.Attestation;
using Twin.Hardware.Emulator.Network;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Tests.Emulator.Network;

/// <summary>What the head-end sets off over a rough mesh, seen at the meters and in what the utility knows.</summary>
public sealed class HeadEndTests : IDisposable
{
    private readonly EmulatedFleet _fleet = new(new FleetOptions
    {
        Seed = 9, Meters = 10, Feeders = 1, Concentrators = 1, Days = 12, CutsPerYear = 0, BackhaulGapsPerYear = 0,
        Models = [new FleetModel("ZEUS-1", "2.4.1", 20_401, 1)],
        Mesh = new MeshOptions { HopLoss = 0.15, DuplicateShare = 0.05, ReorderShare = 0.1 },
    });

    public void Dispose() => _fleet.Dispose();

    private List<Input> Days(int days) =>
    [
        .. _fleet.Step(new UnixTime(_fleet.Now.Seconds + days * 86_400L)).Where(i => i.Input is not null)
            .Where(i => Envelope.Read(i.Input).Kind != InputKind.ReadingBlock).Select(i => Input.Read(i.Input)),
    ];

    [Fact]
    public void Every_meter_is_challenged_daily_and_answers()
    {
        var inputs = Days(3);
        foreach (var meter in _fleet.Meters)
            Assert.Equal(3, inputs.OfType<NonceIssued>().Count(n => n.Subject == meter.Id.Twin));
        Assert.Equal(30, inputs.OfType<NonceIssued>().Select(n => n.Nonce).Distinct().Count());
        Assert.Equal(0, _fleet.HeadEnd.Refused);
        Assert.Equal(72, inputs.OfType<Sweep>().Count());
        Assert.Equal(72, inputs.OfType<ConcentratorReport>().Count());
    }

    [Fact]
    public void A_roll_out_reaches_every_meter_though_blocks_are_lost()
    {
        Days(1);
        var image = _fleet.Firmware.Build(_fleet.Plan.Options.Models[0], "2.5.0", 20_500);
        var campaign = new Campaign("c1", image, _fleet.Now, new UnixTime(_fleet.Now.Seconds + 9 * 86_400),
            Enumerable.Range(0, 10));
        _fleet.HeadEnd.Start(campaign, _fleet.Now);
        var inputs = Days(9);
        Assert.All(campaign.Meters, m => Assert.True(campaign.StateOf(m) == CampaignState.Updated,
            $"meter {m} is {campaign.StateOf(m)}: {campaign.LastWord(m)}"));
        Assert.All(_fleet.Meters, m => Assert.Equal(image.Digest, m.Zeus.Application.Image));
        var states = inputs.OfType<CampaignMember>().Where(c => c.Meter == _fleet.Meters[0].Id).Select(c => c.State);
        Assert.Equal([CampaignState.Queued, CampaignState.Initiated, CampaignState.Downloading, CampaignState.Verified,
            CampaignState.Updating, CampaignState.Updated], states.Distinct());
    }

    [Fact]
    public void A_rollover_changes_keys_and_the_meters_go_on_answering()
    {
        Days(1);
        for (var m = 0; m < 10; m++)
            Assert.True(_fleet.HeadEnd.RollOver(m, _fleet.Now, _fleet.HeadEnd.Order(m, _fleet.Now, "own", "keys",
                CommandKind.TransferKey)));
        var inputs = Days(3);
        Assert.Equal(10, inputs.OfType<KeyEvent>().Count(k => k.Change == KeyEventKind.Transferred));
        Assert.Equal(10, inputs.OfType<WorkOrder>().Count());
        Assert.All(_fleet.Meters, m => Assert.Equal(1, _fleet.HeadEnd.Keys.Generation(m.Id)));
        Assert.All(_fleet.Meters, m => Assert.Contains(Entries(m), e => e.Kind == CakEntryKind.KeyChange
            && e.Detail == (ushort)KeySlot.EncryptionUnicast));
        var before = _fleet.Meters.Select(m => m.Zeus.Application.LastReceived).ToArray();
        Days(2);
        Assert.All(_fleet.Meters, m => Assert.True(m.Zeus.Application.LastReceived > before[m.Index]));
    }

    [Fact]
    public void An_ordered_disconnection_opens_the_switch_and_a_reconnection_closes_it()
    {
        Days(1);
        var order = _fleet.HeadEnd.Order(4, _fleet.Now, "own", "work", CommandKind.Disconnect, CommandKind.Reconnect);
        Assert.Equal("WO-000001", order);
        Assert.True(_fleet.HeadEnd.Send(4, MeterCommands.Disconnect(), _fleet.Now, order));
        Days(1);
        Assert.False(_fleet.Meters[4].Zeus.SwitchState.Output);
        Assert.True(_fleet.HeadEnd.Send(4, MeterCommands.Reconnect(), _fleet.Now, order));
        Days(1);
        Assert.True(_fleet.Meters[4].Zeus.SwitchState.Output);
        Assert.All(_fleet.Meters.Where(m => m.Index != 4), m => Assert.True(m.Zeus.SwitchState.Output));
    }

    [Fact]
    public void What_is_lost_of_a_load_profile_is_asked_for_again()
    {
        Days(1);
        var tap = new MeshTap
        {
            Link = MeshLink.Above(2), Act = TapAct.Drop, Meter = 2, Direction = FrameDirection.FromMeter,
            From = _fleet.Now, To = new UnixTime(_fleet.Now.Seconds + 6 * 3_600),
        };
        _fleet.Mesh.Add(tap);
        Days(3);
        Assert.True(tap.Acts > 0);
        Assert.True(_fleet.HeadEnd.Resent > 0);
        Assert.Equal(0, _fleet.HeadEnd.MissingIntervals(2, _fleet.Now));
    }

    private static CakEntry[] Entries(FleetMeter meter) =>
        CakQuote.TryRead(meter.Zeus.Chip.Quote(1, 0, meter.Zeus.SwitchState, new UnixTime(2_000_000_000)),
            out var quote, out _, out _) ? quote!.Entries : [];
}
