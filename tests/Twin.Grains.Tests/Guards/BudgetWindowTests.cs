using Twin.Grains.Guards;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Tests.Guards;

/// <summary>Windows never grant more than the budget within any span, and give room back in time.</summary>
public sealed class BudgetWindowTests
{
    private static readonly (int Seconds, Func<Budget, int> Commands, Func<Budget, long> Watts)[] s_spans =
    [
        (300, b => b.Commands5, b => b.Watts5), (3_600, b => b.CommandsHour, b => b.WattsHour),
        (86_400, b => b.CommandsDay, b => b.WattsDay),
    ];

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    [InlineData(3UL)]
    [InlineData(4UL)]
    public void No_span_holds_more_than_the_budget(ulong seed)
    {
        var chance = new SplitMix64(seed);
        for (var run = 0; run < 40; run++)
        {
            var budget = new Budget(1 + chance.Next(4), 2 + chance.Next(8), 5 + chance.Next(20),
                1_000 * (1 + chance.Next(10)), 1_000 * (3 + chance.Next(20)), 1_000 * (9 + chance.Next(60)));
            var (window, clock) = (new BudgetWindow(), 1_000_000L + chance.Next(90_000));
            var granted = new List<(long At, long Watts)>();
            for (var step = 0; step < 300; step++)
            {
                clock += chance.Next(3) switch { 0 => 0, 1 => chance.Next(90), _ => chance.Next(4_000) };
                window.Advance(clock);
                var watts = (long)chance.Next(6_000);
                if (window.Refusal(budget, watts) is null)
                {
                    window.Add(clock, watts);
                    granted.Add((clock, watts));
                }
                if (chance.Next(10) == 0) window = Again(window);
            }
            Assert.True(granted.Count > 3, $"seed {seed}, run {run}: hardly anything was granted");
            foreach (var (seconds, commands, most) in s_spans)
                foreach (var (from, _) in granted)
                {
                    var inside = granted.Where(g => g.At >= from && g.At <= from + seconds).ToArray();
                    Assert.True(inside.Length <= commands(budget), $"seed {seed}, run {run}: {inside.Length} commands");
                    Assert.True(inside.Sum(g => g.Watts) <= most(budget), $"seed {seed}, run {run}: too many watts");
                }
        }
    }

    [Fact]
    public void Room_comes_back_a_bucket_late_and_not_before()
    {
        var budget = new Budget(1, -1, -1, -1, -1, -1);
        var window = new BudgetWindow();
        window.Add(900, 10);
        foreach (var (second, free) in ((long, bool)[])[(900, false), (1_200, false), (1_229, false), (1_230, true)])
        {
            window.Advance(second);
            Assert.Equal(free, window.Refusal(budget, 10) is null);
        }
        Assert.Equal((1, 10L), (window.CommandsDay, window.WattsDay));
        window.Advance(900 + 86_400 + 3_600);
        Assert.True(window.IsEmpty);
    }

    [Fact]
    public void A_budget_of_zero_lets_nothing_go_and_minus_one_everything()
    {
        var window = new BudgetWindow();
        window.Advance(1);
        Assert.Equal("0 of 0 commands within a day are used", window.Refusal(new(-1, -1, 0, -1, -1, -1), 0));
        Assert.Equal("0 of 0 W within an hour are used, and this one moves 1 W",
            window.Refusal(new(-1, -1, -1, -1, 0, -1), 1));
        Assert.Null(window.Refusal(new(-1, -1, -1, -1, -1, -1), BudgetWindow.MaxWatts));
        Assert.NotNull(window.Refusal(new(-1, -1, -1, -1, -1, -1), BudgetWindow.MaxWatts + 1));
        Assert.NotNull(window.Refusal(new(-1, -1, -1, -1, -1, -1), -1));
    }

    [Fact]
    public void What_is_given_back_is_room_again_and_what_is_over_is_not()
    {
        var window = new BudgetWindow();
        window.Add(0, 5);
        window.Add(400, 7);
        window.GiveBack(0, 5);
        Assert.Equal((1, 1, 1, 7L, 7L), (window.Commands5, window.CommandsHour, window.CommandsDay, window.Watts5,
            window.WattsDay));
        window.Advance(400_000);
        window.GiveBack(400, 7);
        Assert.True(window.IsEmpty);
        Assert.Equal(0, window.WattsDay);
    }

    [Fact]
    public void A_time_before_the_newest_gives_no_room()
    {
        var window = new BudgetWindow();
        window.Add(10_000, 5);
        window.Advance(10_000 - 86_400);
        Assert.Equal(1, window.Commands5);
    }

    [Fact]
    public void A_damaged_state_is_refused()
    {
        var window = new BudgetWindow();
        window.Add(10_000, 5);
        var to = new ByteWriter();
        window.Write(to);
        var bytes = to.ToArray();
        for (var i = 0; i < bytes.Length; i++)
        {
            var cut = bytes[..i];
            Assert.Throws<InvalidDataException>(() => ReadAll(cut));
        }
        bytes[0] = 9;
        Assert.Throws<InvalidDataException>(() => ReadAll(bytes));
    }

    private static BudgetWindow ReadAll(byte[] bytes)
    {
        var r = new ByteReader(bytes);
        return BudgetWindow.Read(ref r);
    }

    private static BudgetWindow Again(BudgetWindow window)
    {
        var to = new ByteWriter();
        window.Write(to);
        return ReadAll(to.ToArray());
    }
}
