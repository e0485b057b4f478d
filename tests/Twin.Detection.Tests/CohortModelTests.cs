using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Detection.Tests;

public sealed class CohortModelTests
{
    private static Member Of(ulong id, float total, MeterRole role = MeterRole.Customer,
        DayMarks marks = DayMarks.Usable | DayMarks.Warm) =>
        new(new MeterId(id), role, new DayFeatures
        {
            Day = 5, Minutes = 1440, Marks = marks, TotalWh = total, ExpectedWh = 1000, NightW = total / 48,
            ExpectedNightW = 20, Roughness = 0.5f,
        });

    [Fact]
    public void Median_and_spread_of_the_warm_customers_alone()
    {
        var day = new CohortModel().Fold(5,
        [
            Of(1, 800), Of(2, 900), Of(3, 1000), Of(4, 1300), Of(5, 9000),
            Of(6, 1, MeterRole.Observer), Of(7, 2, marks: DayMarks.Usable), Of(8, 3, marks: DayMarks.Warm),
        ]);
        Assert.Equal(5, day.Warm);
        Assert.Equal(6, day.Members);
        Assert.Equal(1f, day.Factor.Median);
        Assert.Equal(1.4826f * 0.2f, day.Factor.Spread, 4);
        Assert.Equal(new Peers(0.5f, 0f), day.Roughness);
    }

    [Fact]
    public void Nobody_is_a_cohort_that_says_nothing() =>
        Assert.Equal(new CohortDay { Day = 9 }, new CohortModel().Fold(9, []));

    [Fact]
    public void A_day_of_the_first_version_still_reads()
    {
        var w = new ByteWriter();
        w.VarInt(5);
        w.VarUInt(7);
        w.VarUInt(6);
        for (var i = 0; i < 10; i++) w.Single(i);
        var r = new ByteReader(w.Written);
        var day = CohortDay.Read(ref r, 1);
        Assert.True(r.AtEnd);
        Assert.Equal(new CohortDay(5, 7, 6, new Peers(0, 1), new Peers(2, 3), new Peers(4, 5), new Peers(6, 7), default,
            new Peers(1, 0)), day);
    }

    [Fact]
    public void Day_and_model_survive_their_encoding()
    {
        var model = new CohortModel();
        var day = model.Fold(5, [Of(1, 800), Of(2, 950)]);
        var w = new ByteWriter();
        day.Write(w);
        var at = w.Length;
        model.Write(w);
        var r = new ByteReader(w.Written);
        Assert.Equal(day, CohortDay.Read(ref r, 2));
        var again = new ByteWriter();
        CohortModel.Read(ref r).Write(again);
        Assert.True(r.AtEnd);
        Assert.Equal(w.ToArray()[at..], again.ToArray());
    }
}
