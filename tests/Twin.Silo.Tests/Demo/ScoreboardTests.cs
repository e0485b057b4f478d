using Twin.Hardware;
using Twin.Hardware.Emulator;
using Twin.Silo.Demo;

namespace Twin.Silo.Tests.Demo;

public class ScoreboardTests
{
    private static readonly World World =
        new(new WorldOptions { Seed = 5, Meters = 100, AnomalyShare = 0.05, LookAlikeShare = 0.04 });

    private static Label Nth(int n, bool lookAlike) =>
        World.Labels.Where(l => l.Nature == LabelNature.LookAlike == lookAlike).ElementAt(n);

    private static Finding On(TwinKind kind, string name, int fromDay, int detectedDay,
        Severity severity = Severity.Medium)
    {
        UnixTime Midnight(int day) => UnixTime.FromMinutes(World.LocalDay(day).StartMinute);
        return new Finding(TwinKey.Named(kind, name), name, FindingKind.LevelShift, Midnight(fromDay),
            Midnight(detectedDay),
            Midnight(detectedDay), 5, severity, 0.9, "test", 1, "", "A test.", [], []);
    }

    private static string Ordinary(int n) =>
        World.Fleet.Where(m => m.Role == MeterRole.Customer && World.Labels.All(l => l.Meter != m.Name))
        .ElementAt(n).Name;

    [Fact]
    public void NothingFoundLeavesAllAlone()
    {
        var s = Scoreboard.Of(World, [], Severity.Low);
        Assert.Equal((100, 5, 0, 0, null, 4, 4, 0, 0, 0),
            (s.Meters, s.Anomalies, s.Found, s.FeederOnly, s.MedianDaysToDetection,
            s.LookAlikes, s.LeftAlone, s.FalseAlarms, s.FalseAlarmMeters, s.FalseFeeders));
        Assert.Equal(9, s.Kinds.Sum(k => k.PutIn));
    }

    [Fact]
    public void EachFindingCountsWhereItBelongs()
    {
        Label a = Nth(0, false), b = Nth(1, false), innocent = Nth(0, true);
        Finding[] findings =
        [
            On(TwinKind.Meter, a.Meter, a.FromDay, a.FromDay + 3),
            On(TwinKind.Meter, a.Meter, a.FromDay, a.FromDay + 9),
            On(TwinKind.Meter, b.Meter, b.FromDay - 1, b.FromDay + 6),
            On(TwinKind.Meter, innocent.Meter, innocent.FromDay, innocent.FromDay + 2),
            On(TwinKind.Meter, Ordinary(0), 10, 12), On(TwinKind.Meter, Ordinary(0), 20, 22),
            On(TwinKind.Meter, Ordinary(1), 20, 22),
            On(TwinKind.Meter, Ordinary(2), 20, 22, Severity.Info),
        ];
        var s = Scoreboard.Of(World, findings, Severity.Low);
        Assert.Equal((2, 4.5, 3, 3, 2),
            (s.Found, s.MedianDaysToDetection, s.LeftAlone, s.FalseAlarms, s.FalseAlarmMeters));
    }

    [Fact]
    public void AFindingBeforeTheOnsetIsAFalseAlarm()
    {
        var a = Nth(0, false);
        var s = Scoreboard.Of(World, [On(TwinKind.Meter, a.Meter, a.FromDay - 8, a.FromDay - 5)], Severity.Low);
        Assert.Equal((0, 1, 1), (s.Found, s.FalseAlarms, s.FalseAlarmMeters));
    }

    [Fact]
    public void AFeederFindingNarrowsDownAndIsFalseWithoutAnAnomaly()
    {
        var a = Nth(0, false);
        var quiet = World.Feeders.First(f =>
            World.Labels.All(l => l.Feeder != f.Name || l.Nature == LabelNature.LookAlike));
        var onFeeder = On(TwinKind.Feeder, a.Feeder, a.FromDay, 59);
        var expected = World.Labels.Count(l => l.Feeder == a.Feeder && l.Nature != LabelNature.LookAlike);
        var s = Scoreboard.Of(World, [onFeeder, On(TwinKind.Feeder, quiet.Name, 30, 40)], Severity.Low);
        Assert.Equal((0, expected, 1, 0), (s.Found, s.FeederOnly, s.FalseFeeders, s.FalseAlarms));

        var both = Scoreboard.Of(World, [onFeeder, On(TwinKind.Meter, a.Meter, a.FromDay, a.FromDay + 1)],
            Severity.Low);
        Assert.Equal((1, expected - 1), (both.Found, both.FeederOnly));
    }

    [Fact]
    public void TheTableSaysEveryFigure()
    {
        var a = Nth(0, false);
        var text = Scoreboard.Of(World, [On(TwinKind.Meter, a.Meter, a.FromDay, a.FromDay + 3)], Severity.Low).Render();
        Assert.Contains("anomalies       5 put in, 1 found, 0 more narrowed down to a feeder\n", text,
            StringComparison.Ordinal);
        Assert.Contains("detection       3.0 days in the median\n", text, StringComparison.Ordinal);
        Assert.Contains("look-alikes     4 of 4 left alone\n", text, StringComparison.Ordinal);
        Assert.Contains("false alarms    0 findings on 0 of 100 meters\n", text, StringComparison.Ordinal);
        Assert.Contains(a.KindName, text, StringComparison.Ordinal);
    }
}
