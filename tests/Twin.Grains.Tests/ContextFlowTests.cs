using Twin.Hardware;
using static Twin.Grains.Tests.Sample;

namespace Twin.Grains.Tests;

/// <summary>How context on record reaches the judging of a meter, and what speaks against it there.</summary>
public sealed class ContextFlowTests
{
    private const int Repeats = 25;
    private readonly TwinHarness _fleet = new();
    private readonly MeterId[] _meters =
        [.. Enumerable.Range(0, 4).Select(static i => MeterId.FromUtilityId($"C-{i}"))];
    private static readonly MeterId Observer = MeterId.FromUtilityId("O-1");

    private static UnixTime At(int day) => new((Day0 + day) * 86_400L);

    private static int[] Day(int meter, int day) =>
        [.. Values(Day0 + day).Select((v, s) => v + (s * 7 + meter * 3 + day * day) % 9)];

    /// <summary>Thirty days of four meters and their observer; the first one tells day 23 again on day 25.</summary>
    private Finding Run(params ContextPeriod[] periods)
    {
        foreach (var m in _meters) _fleet.Append(Relation(m));
        _fleet.Append(Relation(Observer) with { Role = MeterRole.Observer });
        foreach (var p in periods) Assert.Equal(AdmissionStatus.Accepted, _fleet.Append(p).Status);
        for (var d = 0; d < 30; d++)
        {
            var sum = new int[48];
            for (var m = 0; m < _meters.Length; m++)
            {
                var wh = Day(m, d == Repeats && m == 0 ? d - 2 : d);
                for (var s = 0; s < 48; s++) sum[s] += wh[s];
                _fleet.Append(Raw((Day0 + d) * 1440L, wh, meter: _meters[m]));
            }
            _fleet.Append(Raw((Day0 + d) * 1440L, sum, meter: Observer));
            _fleet.Close(Day0 + d);
        }
        return Assert.Single(_fleet.Findings, static f => f.Kind == FindingKind.RepeatedDay);
    }

    private ContextPeriod Of(TwinKey subject, ContextKind kind, int from = Repeats, int to = Repeats + 1) =>
        new(subject, kind, At(from), At(to), "");

    [Fact]
    public void An_outage_that_one_meter_claims_while_its_feeder_had_supply_is_named_and_excuses_nothing()
    {
        var plain = Run();
        Assert.DoesNotContain(plain.CounterEvidence, static t => t.Contains("record", StringComparison.Ordinal));
        var forged = new ContextFlowTests();
        var f = forged.Run(forged.Of(forged._meters[0].Twin, ContextKind.Outage));
        Assert.Contains(f.CounterEvidence, static t => t.Contains("may be forged", StringComparison.Ordinal));
        Assert.Equal((plain.Score, plain.Confidence), (f.Score, f.Confidence));
    }

    [Fact]
    public void What_is_on_record_for_the_feeder_holds_for_its_meters()
    {
        var plain = Run();
        var told = new ContextFlowTests();
        var f = told.Run(told.Of(TwinKey.Named(TwinKind.Feeder, "F1"), ContextKind.PlannedWork));
        Assert.Contains("planned work is on record", f.CounterEvidence);
        Assert.True(f.Score < plain.Score && f.Confidence < plain.Confidence);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Work_is_doubted_where_orders_are_known_and_none_covers_it(bool covered)
    {
        var meter = _meters[0];
        var (from, to) = covered ? (Repeats, Repeats + 1) : (2, 3);
        Assert.Equal(AdmissionStatus.Accepted,
            _fleet.Append(new WorkOrder(meter, At(1), "W-1", 1, At(from), At(to), "north", "")).Status);
        var f = Run(Of(meter.Twin, ContextKind.PlannedWork));
        Assert.Equal(!covered,
            f.CounterEvidence.Any(static t => t.Contains("no work order", StringComparison.Ordinal)));
        Assert.Equal(covered, f.CounterEvidence.Contains("planned work is on record"));
    }

    [Fact]
    public void A_move_of_a_year_does_not_keep_a_meter_from_being_judged()
    {
        var f = Run(Of(_meters[0].Twin, ContextKind.MoveIn, 0, 365));
        Assert.Equal(At(Repeats + 1), f.To);
        Assert.DoesNotContain(f.CounterEvidence, static t => t.Contains("move-in", StringComparison.Ordinal));
    }
}
