using System.Security.Cryptography;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using static Twin.Grains.Tests.Letters;

namespace Twin.Grains.Tests;

public class ConcentratorTwinTests
{
    private const string Name = "C-1";
    private const int Period = 3_600;
    private static readonly TwinKey Self = TwinKey.Named(TwinKind.Concentrator, Name);
    private readonly TwinHarness _fleet = new();

    private static MeterId Id(int meter) => new(Key(meter).Id);

    /// <summary>Thirty meters: 0 to 5 directly, 6 to 17 over meter 0, 18 to 29 over meter 1.</summary>
    private static int Via(int meter) => meter < 6 ? -1 : meter < 18 ? 0 : 1;

    private static ConcentratorReport Report(long at, Func<int, bool>? isSilent = null, Func<int, int>? via = null,
        int latency = 400, int meters = 30, string name = Name) => new(TwinKey.Named(TwinKind.Concentrator, name), name,
        At(at), Period, latency, [.. Enumerable.Range(0, meters).Where(m => isSilent?.Invoke(m) != true)
            .Select(m => new Route(Id(m), (via ?? Via)(m) is >= 0 and var v ? Id(v) : default, 4, 0, 0))]);

    private void Reports(int from, int to, Func<int, bool>? isSilent = null, Func<int, int>? via = null,
        int latency = 400)
    {
        for (var hour = from; hour < to; hour++)
        {
            Assert.Equal(AdmissionStatus.Accepted, _fleet.Append(Report(hour * Hour, isSilent, via,
                latency + hour % 5 * 8)).Status);
            _fleet.Sweep(At(hour * Hour));
        }
    }

    private ConcentratorView View => ConcentratorView.From(Self, _fleet.State(Self));

    [Fact]
    public void A_lost_backhaul_is_one_finding_that_ends_when_it_returns()
    {
        Reports(0, 48);
        for (var hour = 48; hour < 72; hour++) _fleet.Sweep(At(hour * Hour));
        var lost = Assert.Single(_fleet.Findings);
        Assert.Equal((FindingKind.BackhaulLost, Self, At(47 * Hour), Severity.Medium),
            (lost.Kind, lost.Subject, lost.From, lost.Severity));
        Assert.True(View.IsBackhaulLost);
        // What it held back comes first, under old times.
        Reports(48, 96);
        Assert.All(_fleet.Findings, f => Assert.Equal(lost.Id, f.Id));
        Assert.Equal(At(71 * Hour), _fleet.Findings[^1].To);
        Assert.Equal([(T0 + 47 * Hour, T0 + 71 * Hour)], View.Lost.Select(s => (s.From, s.To)));
        Assert.False(View.IsBackhaulLost);
    }

    [Fact]
    public void Planned_work_makes_a_lost_backhaul_a_note()
    {
        Reports(0, 48);
        _fleet.Append(new ContextPeriod(Self, ContextKind.PlannedWork, At(47 * Hour), At(80 * Hour), "new modem"));
        for (var hour = 48; hour < 60; hour++) _fleet.Sweep(At(hour * Hour));
        var f = Assert.Single(_fleet.Findings);
        Assert.Equal((Severity.Info, 1), (f.Severity, f.CounterEvidence.Length));
    }

    [Fact]
    public void A_late_report_or_two_is_no_lost_backhaul()
    {
        var draw = new SplitMix64(11);
        for (var hour = 0; hour < 24 * 20; hour++)
        {
            if (draw.Next(20) != 0) _fleet.Append(Report(hour * Hour + draw.Next(900)));
            _fleet.Sweep(At(hour * Hour + 900));
        }
        Assert.Empty(_fleet.Findings);
    }

    [Fact]
    public void Meters_that_fall_silent_behind_a_relay_that_speaks_name_it()
    {
        Reports(0, 48);
        Reports(48, 60, m => Via(m) == 0);
        var f = Assert.Single(_fleet.Findings);
        Assert.Equal((FindingKind.CorrelatedSilence, Self, Severity.High, "T0804", 12.0),
            (f.Kind, f.Subject, f.Severity, f.Technique, f.Evidence[0].Observed));
        Assert.Contains(Id(0).ToString(), f.Sentence);
        Reports(60, 80);
        Assert.Single(_fleet.Findings);
    }

    [Fact]
    public void A_relay_without_power_is_a_low_finding_and_one_on_record_is_none()
    {
        Reports(0, 48);
        Reports(48, 60, m => m == 0 || Via(m) == 0);
        var f = Assert.Single(_fleet.Findings);
        Assert.Equal((Severity.Low, 1), (f.Severity, f.CounterEvidence.Length));
        Reports(60, 80);
        _fleet.Append(new ContextPeriod(Self, ContextKind.Outage, At(80 * Hour), At(100 * Hour), ""));
        Reports(80, 96, m => m == 1 || Via(m) == 1);
        Assert.Single(_fleet.Findings);
    }

    [Fact]
    public void Time_without_reports_is_no_silence_of_the_meters()
    {
        Reports(0, 48);
        // Two days without a report; then only those that speak first are in it.
        Reports(96, 97, m => Via(m) == 0);
        Reports(97, 120);
        Assert.Equal([FindingKind.BackhaulLost], _fleet.Findings.Select(f => f.Kind).Distinct());
    }

    [Fact]
    public void A_neighbour_that_attracts_routes_is_found()
    {
        Reports(0, 48);
        Reports(48, 60, via: m => m is > 5 and < 18 ? 3 : Via(m));
        var f = Assert.Single(_fleet.Findings);
        Assert.Equal((FindingKind.RouteAnomaly, 12.0, "T0830"), (f.Kind, f.Evidence[0].Observed, f.Technique));
        Assert.Contains(Id(3).ToString(), f.Sentence);
    }

    [Fact]
    public void Routes_that_leave_a_relay_without_power_and_come_back_are_honest()
    {
        Reports(0, 48);
        Reports(48, 52, m => m == 0, m => m is > 5 and < 18 ? 2 + m % 3 : Via(m));
        Reports(52, 100);
        Assert.Empty(_fleet.Findings);
    }

    [Fact]
    public void A_step_of_latency_that_stays_is_a_low_finding()
    {
        Reports(0, 48);
        Reports(48, 50, latency: 900);
        Reports(50, 60);
        Assert.Empty(_fleet.Findings);
        Reports(60, 72, latency: 900);
        var f = Assert.Single(_fleet.Findings);
        Assert.Equal((FindingKind.RouteAnomaly, Severity.Low), (f.Kind, f.Severity));
    }

    [Theory]
    [InlineData(16, 0, 8, CommandOrigin.OpticalPort, false)] // public client reads
    [InlineData(1, 5, 56, CommandOrigin.HeadEnd, false)] // management client, GMAC, writes
    [InlineData(2, 1, 8, CommandOrigin.HeadEnd, false)] // reading client, password, reads
    [InlineData(16, 0, 16, CommandOrigin.OpticalPort, true)] // writes without authentication
    [InlineData(1, 1, 16, CommandOrigin.OpticalPort, true)] // writes with a password
    [InlineData(1, 5, 16, CommandOrigin.Mesh, true)] // management from the mesh
    [InlineData(2, 0, 8, CommandOrigin.HeadEnd, true)] // no authentication, not the public client
    public void Sessions_are_held_against_their_specification(byte client, byte mechanism, byte services,
        CommandOrigin port, bool isRogue)
    {
        _fleet.Append(new Session(Self, At(0), port, client, mechanism, true, services, 30, "tool", "", ""));
        Assert.Equal(isRogue, _fleet.Findings.Exists(f => f.Kind == FindingKind.RogueSession));
        _fleet.Append(new Session(Self, At(1), port, client, mechanism, false, services, 30, "tool", "", ""));
        Assert.Equal(isRogue ? 1 : 0, _fleet.Findings.Count);
    }

    [Fact]
    public void Its_own_quotes_are_verified_at_the_door_and_judged()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var q = key.ExportParameters(false).Q;
        _fleet.Append(new KeyEvent(Self, At(0), KeySlot.DeviceSigning, KeyEventKind.Enrolled, 1, [.. q.X!, .. q.Y!],
            default, ""));
        var first = Quote(1, Digest.None, 1, "fw-1");
        Assert.Equal(AdmissionStatus.Accepted, Attest(1, first, key).Status);
        Assert.Empty(_fleet.Findings);
        Assert.True(View.IsBaselined);
        // The same bytes again are told twice; under a foreign key they are a finding.
        using var foreign = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Attest(2, Quote(2, first.Head, 2, "fw-1"), foreign);
        Assert.Equal([FindingKind.WrongKey], _fleet.Findings.Select(f => f.Kind));
        Attest(3, Quote(3, first.Head, 2, "fw-2", version: 0), key);
        Assert.Equal([FindingKind.WrongKey, FindingKind.Downgrade, FindingKind.UnauthorisedUpgrade],
            _fleet.Findings.Select(f => f.Kind));
        // A challenge that is not open, and a log that does not go on from there.
        Assert.Equal(AdmissionStatus.Accepted, _fleet.Append(Signed(Quote(99, first.Head, 3, "fw-2"), key, 4)).Status);
        Assert.Equal(FindingKind.StaleNonce, _fleet.Findings[^1].Kind);
        Attest(5, Quote(5, Digest.Of([1]), 3, "fw-2", version: 0), key);
        Assert.Equal(FindingKind.ChainBroken, _fleet.Findings[^1].Kind);
        _fleet.Sweep(At(Day));
        Assert.Contains(_fleet.Sent, m => m.From == Self && m.To == FleetPartition.Of(Digest.Of("fw-2"u8)));
    }

    private Admission Attest(int nonce, CakQuote quote, ECDsa key)
    {
        _fleet.Append(new NonceIssued(Self, At(nonce), (UInt128)nonce));
        return _fleet.Append(Signed(quote, key, nonce));
    }

    private static AttestationQuote Signed(CakQuote quote, ECDsa key, int at)
    {
        var bytes = quote.ToSign();
        return new AttestationQuote(Self, At(at), CakQuote.WithSignature(bytes,
            key.SignData(bytes, HashAlgorithmName.SHA256)), SignatureVerdict.Unchecked);
    }

    private static CakQuote Quote(int nonce, Digest before, uint seq, string image, uint version = 1)
    {
        var entry = new CakEntry(seq, CakEntryKind.Boot, FirmwarePart.Device, 0, BootCause.PowerFailure, Digest.None,
            0, 0, 0, 0, 0, default);
        var part = new PartState(Digest.Of(System.Text.Encoding.UTF8.GetBytes(image)), version, 1);
        return new CakQuote
        {
            SystemTitle = 7, Nonce = (UInt128)nonce, FirstSeq = seq, BaseHead = before, Entries = [entry],
            Head = entry.HeadAfter(before), LastSeq = seq, Counters = default, Switch = default,
            State = [part, part with { Image = Digest.None }, default, default, default, default],
            LifeCycle = LifeCycle.Operating, MeterTime = 0, KeyFingerprint = 1,
        };
    }

    [Fact]
    public void What_is_not_its_own_is_refused_at_the_door()
    {
        var other = Report(0, name: "C-2").ToBytes();
        var twin = _fleet[Self];
        Assert.Equal(AdmissionStatus.Rejected, twin.Admit(other, _fleet, null!).Status);
        Assert.Equal(AdmissionStatus.Rejected, _fleet.Append(Report(0) with { Seconds = 0 }).Status);
        Assert.Equal(AdmissionStatus.Rejected, _fleet.Append(new KeyEvent(Self, At(0), KeySlot.Master,
            KeyEventKind.Enrolled, 1, new byte[5], default, "")).Status);
    }

    [Fact]
    public void Four_thousand_meters_are_the_bound_and_the_one_unheard_for_longest_leaves()
    {
        Route[] Routes(int from, int count) =>
            [.. Enumerable.Range(from, count).Select(i => new Route(new MeterId((ulong)i + 1), default, 1, 0, 0))];
        _fleet.Append(new ConcentratorReport(Self, Name, At(0), Period, 400, Routes(0, 4_096)));
        _fleet.Append(new ConcentratorReport(Self, Name, At(Hour), Period, 400, Routes(1, 4_096)));
        Assert.Equal((4_096, 2UL, 4_097UL), (View.Members.Length, View.Members[0].Id, View.Members[^1].Id));
        Assert.Equal(_fleet.State(Self), Again(_fleet.State(Self)));
    }

    private byte[] Again(byte[] state)
    {
        _fleet[Self] = _fleet.Factory.Restore(Self, state);
        return _fleet.State(Self);
    }

    [Fact]
    public void The_state_survives_a_restart_at_any_point_and_damage_is_refused()
    {
        var other = new TwinHarness();
        for (var hour = 0; hour < 90; hour++)
        {
            foreach (var harness in (TwinHarness[])[_fleet, other])
            {
                if (hour is < 50 or > 60) harness.Append(Report(hour * Hour, m => hour > 70 && Via(m) == 1));
                harness.Sweep(At(hour * Hour));
            }
            other.Restart(Self);
        }
        Assert.Equal(_fleet.AllStates(), other.AllStates());
        Assert.Equal(_fleet.Findings.Select(f => f.Id), other.Findings.Select(f => f.Id));
        Assert.Equal([FindingKind.BackhaulLost, FindingKind.CorrelatedSilence],
            _fleet.Findings.Select(f => f.Kind).Distinct());
        var state = _fleet.State(Self);
        for (var length = 0; length < state.Length; length++)
            Assert.Throws<InvalidDataException>(() => ConcentratorTwin.Restore(Self.Id, state.AsSpan(0, length)));
    }

    [Fact]
    public void Random_honest_traffic_raises_nothing()
    {
        for (ulong seed = 1; seed <= 12; seed++)
        {
            var draw = new SplitMix64(seed);
            var harness = new TwinHarness();
            var via = Enumerable.Range(0, 40).Select(m => m < 8 ? -1 : draw.Next(8)).ToArray();
            var dark = new int[40];
            for (var hour = 0; hour < 24 * 14; hour++)
            {
                for (var m = 0; m < 40; m++)
                {
                    if (draw.Next(400) == 0) dark[m] = hour + 1 + draw.Next(3);
                    if (via[m] >= 0 && (dark[via[m]] > hour || draw.Next(200) == 0)) via[m] = draw.Next(8);
                }
                // Each meter speaks three hours in four; a relay without power takes its meters along for an hour.
                var report = Report(hour * Hour + draw.Next(300), m => dark[m] > hour
                    || (via[m] >= 0 && dark[via[m]] > hour) || draw.Next(4) == 0, m => via[m],
                    300 + draw.Next(200), 40);
                if (draw.Next(30) != 0) harness.Append(report);
                if (draw.Next(20) == 0) harness.Append(report);
                harness.Sweep(At(hour * Hour + 600));
            }
            Assert.True(harness.Findings.Count == 0,
                $"seed {seed}: {string.Join("; ", harness.Findings.Select(f => $"{f.DetectedAt} {f.Sentence}"))}");
        }
    }
}
