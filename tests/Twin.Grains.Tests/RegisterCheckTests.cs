using Twin.Hardware;
using static Twin.Grains.Tests.Sample;

namespace Twin.Grains.Tests;

public sealed class RegisterCheckTests
{
    private readonly TwinHarness _given = new();

    private static RegisterSnapshot Register(int day, long value, long extraSeconds = 0) =>
        new(Meter, Channel.Import, new UnixTime(day * 86_400L + extraSeconds), value);

    private static long SumOf(int day) => Values(day).Sum(v => (long)v);

    private IEnumerable<FindingKind> Kinds => _given.Findings.Select(f => f.Kind);

    [Fact]
    public void A_register_that_agrees_says_nothing()
    {
        var value = 1000L;
        for (var d = Day0; d < Day0 + 5; d++)
        {
            _given.Append(Register(d, value));
            _given.Append(UtcDay(d));
            value += SumOf(d);
        }
        for (var d = Day0; d < Day0 + 5; d++) _given.Close(d);
        Assert.DoesNotContain(FindingKind.SumCheck, Kinds);
    }

    [Fact]
    public void A_register_that_runs_ahead_of_the_intervals_is_found_with_both_figures()
    {
        _given.Append(Register(Day0 + 1, 1000 + SumOf(Day0) + 9_000));
        _given.Append(Register(Day0, 1000));
        _given.Append(UtcDay(Day0));
        _given.Close(Day0);
        var finding = Assert.Single(_given.Findings, f => f.Kind == FindingKind.SumCheck);
        Assert.Equal((SumOf(Day0), SumOf(Day0) + 9_000),
            ((long)finding.Evidence[0].Observed, (long)finding.Evidence[0].Expected));
    }

    [Fact]
    public void A_gap_a_rollover_and_a_snapshot_inside_an_interval_are_not_compared()
    {
        _given.Append(Register(Day0, 1000));
        _given.Append(Raw(Day0 * 1440L, Values(Day0)[..40]));
        _given.Append(Register(Day0 + 1, 900_000));
        _given.Append(UtcDay(Day0 + 1));
        _given.Append(Register(Day0 + 2, 5));
        _given.Append(UtcDay(Day0 + 2));
        _given.Append(Register(Day0 + 2, 77_777, extraSeconds: 60));
        _given.Append(Register(Day0 + 3, 999_999));
        for (var d = Day0; d < Day0 + 4; d++) _given.Close(d);
        Assert.DoesNotContain(FindingKind.SumCheck, Kinds);
    }
}
