using System.Diagnostics;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;
using Twin.Hardware.Events;
using Xunit.Abstractions;
using static Twin.Grains.Tests.SecurityMeter;

namespace Twin.Grains.Tests;

/// <summary>Random honest lives: nothing is found, state survives every step, a rebuild is the same.</summary>
[Collection(nameof(MeterMemoryTests))]
public sealed class SecurityPropertyTests(ITestOutputHelper output)
{
    private const int Seeds = 25;
    private const int Days = 30;

    /// <summary>One honest life as inputs with the time at which each comes in.</summary>
    private sealed class Life(SecurityMeter meter, SplitMix64 draw)
    {
        private readonly List<(double Arrives, Input Input)> _inputs = [];
        private uint _counter = 1, _key;
        private int _version = 1;
        private ulong _nonce;
        private uint _since;

        public IEnumerable<Input> Inputs => _inputs.OrderBy(i => i.Arrives).Select(i => i.Input);

        private void Put(double arrives, Input input) => _inputs.Add((arrives, input));

        public void Run()
        {
            Put(0, meter.Enrol());
            meter.Boot(0.001, BootCause.PowerFailure);
            for (var day = 1; day <= Days; day++)
            {
                if (draw.Next(3) == 0) PowerCut(day + 0.1);
                if (draw.Next(9) == 0) Upgrade(day + 0.2);
                if (draw.Next(8) == 0) Work(day + 0.4);
                if (draw.Next(10) == 0) Rekey(day + 0.5);
                Frames(day);
                Put(day + 0.7, new Fingerprint(meter.Id, At(day + 0.7), 1,
                    [.. Enumerable.Range(0, 8).Select(_ => (float)(50 + draw.NextNormal()))]));
                Attest(day + 0.8);
            }
        }

        private void PowerCut(double day)
        {
            // Reported at once, late, or never.
            if (draw.Next(2) == 0) Put(day + draw.Next(3), meter.Event(MeterEventKind.LastGasp, day));
            meter.Boot(day + 0.01, BootCause.PowerFailure);
            if (draw.Next(4) == 0) meter.Boot(day + 0.02, BootCause.Watchdog);
        }

        private void Upgrade(double day)
        {
            _version++;
            Put(day - 0.1, meter.Campaign(FirmwarePart.Application, _version, day - 0.1, day + 2));
            Put(day + 1, meter.Campaign(FirmwarePart.Application, _version, day - 0.1, day + 2, false,
                CampaignState.Updated));
            meter.Upgrade(FirmwarePart.Application, _version, day);
            foreach (var (kind, off) in new[] { (MeterEventKind.FirmwareReady, -0.02),
                (MeterEventKind.FirmwareActivated, 0.001), (MeterEventKind.FirmwareSelfCheckOk, 0.002) })
                Put(day + off + draw.NextDouble(), meter.Event(kind, day + off));
        }

        private void Work(double day)
        {
            Put(day - 0.3, meter.Order(day - 0.2, day + 0.2, CommandKind.Disconnect, CommandKind.Reconnect,
                CommandKind.WriteConfiguration));
            meter.Append(CakEntryKind.LocalSession, FirmwarePart.Device, day);
            Put(day + draw.NextDouble(), new Session(meter.Id.Twin, At(day), CommandOrigin.OpticalPort, 1, 5, true,
                0x18, 60, "T1", "acme", ""));
            Put(day + draw.NextDouble(), meter.Event(MeterEventKind.TerminalCoverOpened, day));
            meter.Switch = new SwitchState(false, 0, 4);
            Put(day + 0.01 * draw.NextDouble(), meter.Command(CommandKind.Disconnect, day));
            meter.Switch = new SwitchState(true, 1, 4);
            Put(day + 0.01 + 0.01 * draw.NextDouble(), meter.Command(CommandKind.Reconnect, day + 0.01));
        }

        private void Rekey(double day)
        {
            Put(day, new KeyEvent(meter.Id.Twin, At(day), KeySlot.EncryptionUnicast, KeyEventKind.Transferred, 1, [],
                default, "head-end"));
            (_counter, _key) = (1, _key + 1);
        }

        private void Frames(int day)
        {
            for (var i = 0; i < 12; i++)
            {
                var frame = meter.Frame(_counter, day + 0.55 + i * 0.01, StableHash.Mix(((ulong)_key << 32) + _counter
                    + 1)) with
                { Service = ServiceOf(day, i) };
                _counter++;
                // Lost, late or doubled; 10 % out of order, 5 % twice.
                if (draw.Next(40) == 0) continue;
                var arrives = day + 0.55 + i * 0.01 + (draw.Next(10) == 0 ? 0.05 * draw.NextDouble() : 0);
                Put(arrives, frame with { At = At(arrives) });
                if (draw.Next(20) == 0) Put(arrives + 0.1, frame with { At = At(arrives + 0.1) });
            }
        }

        /// <summary>From day 4 on firmware seals what it tells; once a month a damaged record prevents it.</summary>
        private static FrameService ServiceOf(int day, int frame) => (frame % 6, day) switch
        {
            (0, < 4 or 17) => FrameService.UnsealedProfile,
            (0, _) => FrameService.SealedProfile,
            _ => FrameService.DataNotification,
        };

        private void Attest(double day)
        {
            var nonce = new UInt128(3, ++_nonce);
            Put(day, new NonceIssued(meter.Id.Twin, At(day), nonce));
            var late = draw.Next(6) == 0 ? 1 + 2 * draw.NextDouble() : 0.01;
            var quote = meter.Attest(nonce, day + 0.001, _since) with { At = At(day + late) };
            Put(day + late, quote);
            if (draw.Next(8) == 0) Put(day + late + 0.05, quote with { At = At(day + late + 0.05) });
            // The head-end asks for what it has not seen.
            if (late < 1) _since = meter.Seq;
        }
    }

    private static Input[] LifeOf(SecurityMeter meter, ulong seed)
    {
        var life = new Life(meter, SplitMix64.For(seed, "life"));
        life.Run();
        return [.. life.Inputs];
    }

    [Fact]
    public void Honest_lives_raise_nothing()
    {
        var accepted = 0;
        for (var seed = 0ul; seed < Seeds; seed++)
        {
            using var meter = new SecurityMeter();
            var harness = new TwinHarness();
            foreach (var input in LifeOf(meter, seed))
            {
                var admission = harness.Append(input);
                Assert.True(admission.Status != AdmissionStatus.Rejected, $"seed {seed}: {admission.Reason}");
                accepted += admission.Status == AdmissionStatus.Accepted ? 1 : 0;
            }
            for (var day = 1; day < Days + 12; day++) harness.SweptLetters(At(day));
            var said = string.Join("\n", harness.Findings.Select(f => $"{f.DetectedAt} {f.Sentence}"));
            Assert.True(harness.Findings.Count == 0, $"seed {seed}:\n{said}");
            var view = MeterView.From(meter.Id.Twin, harness.State(meter.Id.Twin)).Security!;
            Assert.True(view.LogEntries > 10 && view.EveryCheckPassed, $"seed {seed}");
        }
        Assert.True(accepted > Seeds * Days * 10);
    }

    [Fact]
    public void State_of_the_first_version_is_still_read()
    {
        // Empty state: version, four counts, no quote; then seven moments, the last new in version 2.
        const int SealedSince = 12;
        var security = new Meters.MeterSecurity();
        var w = new Twin.Hardware.Coding.ByteWriter();
        security.Write(w);
        var now = w.ToArray();
        // Version 3 has two marks of evidence behind the rest, two bytes each; version 4 since when it is switched off.
        byte[] old = [1, .. now[1..SealedSince], .. now[(SealedSince + 1)..^5]];
        var r = new Twin.Hardware.Coding.ByteReader(old);
        w.Clear();
        Meters.MeterSecurity.Read(ref r).Write(w);
        Assert.True(r.AtEnd);
        Assert.Equal(now, w.ToArray());
        var rare = new Meters.SecurityRare();
        rare.Rate(Meters.SecurityRare.Events).Add(77, 10);
        w.Clear();
        rare.Write(w);
        var bytes = w.ToArray();
        // Seven empty lists, then the rates: a count, and two numbers each.
        Assert.Equal(Meters.SecurityRare.RateCount, bytes[7]);
        byte[] five = [.. bytes[..7], 5, .. bytes[8..18], .. bytes[20..]];
        r = new Twin.Hardware.Coding.ByteReader(five);
        w.Clear();
        Meters.SecurityRare.Read(ref r, hasPrints: true).Write(w);
        Assert.True(r.AtEnd);
        Assert.Equal(bytes, w.ToArray());
    }

    [Fact]
    public void State_survives_every_step_and_a_rebuild_is_the_same()
    {
        for (var seed = 100ul; seed < 104; seed++)
        {
            using var meter = new SecurityMeter();
            var inputs = LifeOf(meter, seed);
            // An attack in the middle, so that findings and pending things are in the state too.
            meter.Upgrade(FirmwarePart.Metrology, 7, 15);
            var (live, restored) = (new TwinHarness(), new TwinHarness());
            foreach (var input in inputs)
            {
                live.Append(input);
                restored.Append(input);
                var state = live.State(meter.Id.Twin);
                restored[meter.Id.Twin] = restored.Factory.Restore(meter.Id.Twin, state);
                Assert.True(state.AsSpan().SequenceEqual(restored.State(meter.Id.Twin)), $"seed {seed}");
            }
            live.Close(Sample.Day0 + 20);
            restored.Close(Sample.Day0 + 20);
            Assert.Equal(live.State(meter.Id.Twin), restored.State(meter.Id.Twin));
            Assert.Equal(live.Findings.Select(f => f.Id), restored.Findings.Select(f => f.Id));
            var rebuilt = TwinHarness.Replay(live.Journal);
            Assert.Equal(live.State(meter.Id.Twin), rebuilt.State(meter.Id.Twin));
            Assert.Equal(live.Findings.Select(f => f.Sentence), rebuilt.Findings.Select(f => f.Sentence));
        }
    }

    [Fact]
    public void Damaged_security_state_is_refused()
    {
        using var s = new SecurityScenario();
        s.Append(s.Meter.Frame(1, 1));
        var state = s.Harness.State(s.Meter.Id.Twin);
        for (var length = 0; length < state.Length; length++)
        {
            var cut = state[..length];
            Assert.Throws<InvalidDataException>(() => MeterTwin.Restore(s.Meter.Id.Value, cut));
        }
    }

    [Fact]
    public void A_state_of_version_1_is_a_meter_without_security()
    {
        var harness = new TwinHarness();
        harness.Append(new MeterSeen(Sample.Meter, "M-1", "UTC", 2));
        var now = harness.State(Sample.Meter.Twin);
        // Behind the security state (1) come a block (3), the slow references (15), verdicts (1), the last day of
        // export (1), the customer's status (2), reports (1) and a model's opinion (1).
        byte[] old = [1, .. now[1..^25]];
        var w = new ByteWriter();
        MeterTwin.Restore(Sample.Meter.Value, old).Write(w);
        Assert.Equal(now, w.ToArray());
    }

    /// <summary>Bytes in memory of the security side of a meter with keys, frames, a log and fingerprints.</summary>
    private const int Bound = 1_024;

    [Fact]
    public void The_security_side_of_a_meter_is_small()
    {
        using var meter = new SecurityMeter();
        var harness = new TwinHarness { Keeps = false };
        var (secure, plain) = (Ids(0x4D54570000000000), Ids(0x4D54580000000000));
        foreach (var id in (MeterId[])[.. secure, .. plain]) harness.Append(new MeterSeen(id, "M", "UTC", 2));
        foreach (var id in secure) LiveOf(harness, id, meter);
        var encoded = harness.State(secure[0].Twin).Length - harness.State(plain[0].Twin).Length;
        var bytes = (Freed(harness, secure) - Freed(harness, plain)) / (double)secure.Length;
        output.WriteLine($"security side of a typical meter: {bytes:0} bytes in memory, {encoded} encoded");
        Assert.True(bytes < Bound, $"The security side takes {bytes:0} bytes, more than {Bound}.");
    }

    private static MeterId[] Ids(ulong first) =>
        [.. Enumerable.Range(0, 1_000).Select(i => new MeterId(first + (ulong)i))];

    private static long Freed(TwinHarness harness, MeterId[] ids)
    {
        var before = GC.GetTotalMemory(true);
        foreach (var id in ids) harness.Remove(id.Twin);
        return before - GC.GetTotalMemory(true);
    }

    private static void LiveOf(TwinHarness harness, MeterId id, SecurityMeter meter)
    {
        harness.Append(meter.Enrol() with { Subject = id.Twin });
        harness.Append(new KeyEvent(id.Twin, At(0), KeySlot.EncryptionUnicast, KeyEventKind.Enrolled, 1, [], default,
            ""));
        harness.Append(new KeyEvent(id.Twin, At(0), KeySlot.Authentication, KeyEventKind.Enrolled, 1, [], default, ""));
        for (var c = 1u; c < 40; c++) harness.Append(meter.Frame(c, 1 + c * 0.01) with { Subject = id.Twin });
        for (var day = 1; day < 3; day++)
        {
            harness.Append(new NonceIssued(id.Twin, At(day), new UInt128(1, (ulong)day)));
            var quote = meter.Quote(new UInt128(1, (ulong)day), day, 0) with { SystemTitle = id.Value };
            harness.Append(new AttestationQuote(id.Twin, At(day + 0.01), meter.Sign(quote), default));
        }
        harness.Append(new Fingerprint(id, At(2), 1, [1, 2, 3, 4, 5, 6, 7, 8]));
        harness.SweptLetters(At(3));
    }
}
