namespace Twin.Hardware.Emulator;

/// <summary>The part that a labelled customer plays: the label's kind and the numbers drawn for it.</summary>
internal sealed class Part
{
    public required LabelKind Kind { get; init; }
    public required int From { get; init; }
    public required int To { get; init; }

    /// <summary>Share that remains (scaled, CT ratio, floor of a ramp).</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Share lost each day (ramp).</summary>
    public double Rate { get; init; }

    /// <summary>Daily window in wall-clock minutes; it may cross midnight.</summary>
    public int WindowStart { get; init; }
    public int WindowMinutes { get; init; }

    /// <summary>Shares of the first and last day at which a gap begins and ends.</summary>
    public double GapBegin { get; init; }
    public double GapEnd { get; init; }

    /// <summary>The day on which a backfill comes; beyond the world's end: never.</summary>
    public int Arrival { get; init; }

    /// <summary>Who lived there before a move-in.</summary>
    public Household? Before { get; init; }

    /// <summary>Wh an interval: the cap, or the value at which the register is stuck.</summary>
    public int Level { get; set; }

    public bool Covers(int day) => day >= From && day <= To;

    public bool IsGap => Kind is LabelKind.GapCatchUp or LabelKind.GapBackfill;

    /// <summary>The slots of a day that a gap holds, as begin and end (exclusive).</summary>
    public (int Begin, int End) GapSlots(int day, int slots)
    {
        if (!IsGap || !Covers(day)) return default;
        var begin = day == From ? (int)(GapBegin * slots) : 0;
        return (begin, day == To ? Math.Min(slots - 1, (int)(GapEnd * slots)) : slots);
    }

    /// <summary>One line for a person.</summary>
    public string Note => FormattableString.Invariant(Kind switch
    {
        LabelKind.Scaled => $"reports {Factor:0.00} of the energy",
        LabelKind.Capped => $"never reports more than {Level} Wh an interval",
        LabelKind.ZeroWindow =>
            $"reports nothing for {WindowMinutes} min a day from {WindowStart / 60:00}:{WindowStart % 60:00}",
        LabelKind.NightBypass => $"reports a tenth of the energy at night",
        LabelKind.RepeatedDays => $"repeats the days before the onset",
        LabelKind.Ramp => $"loses {Rate:0.00} of the energy a day down to {Factor:0.00}",
        LabelKind.Stuck => $"stands at {Level} Wh an interval",
        LabelKind.LostPhase => $"one of three phases is not measured",
        LabelKind.WrongCtRatio => $"reports {Factor:0.0} times the energy",
        LabelKind.Drift => $"slides to -6 % in 30 days",
        LabelKind.Vacancy => $"nobody at home",
        LabelKind.NewEv => $"a car is charged at home",
        LabelKind.NewPv => $"PV on the roof",
        LabelKind.GapCatchUp => $"no readings, then one that holds the missed energy",
        LabelKind.GapBackfill => $"no readings, delivered later",
        LabelKind.MoveIn => $"another household moves in",
        _ => throw new InvalidOperationException($"Label kind {Kind} has no note."),
    });

    /// <summary>
    /// What the meter reports of the true intervals of a day, in place. Replay and catch-up, which need other days, are
    /// the world's.
    /// </summary>
    public void Distort(Clock clock, int day, Span<int> import)
    {
        switch (Kind)
        {
            case LabelKind.Scaled or LabelKind.WrongCtRatio:
                Scale(import, Factor);
                break;
            case LabelKind.Ramp:
                Scale(import, Math.Max(Factor, 1 - Rate * (day - From + 1)));
                break;
            case LabelKind.LostPhase:
                Scale(import, 2 / 3.0);
                break;
            case LabelKind.Drift:
                Scale(import, 1 - 0.06 * Math.Min(1, (day - From + 1) / 30.0));
                break;
            case LabelKind.Capped:
                foreach (ref var x in import) x = Math.Min(x, Level);
                break;
            case LabelKind.Stuck:
                import.Fill(Level);
                break;
            case LabelKind.ZeroWindow or LabelKind.NightBypass:
                for (var s = 0; s < import.Length; s++)
                    if (InWindow(clock.WallMinute(day, s))) import[s] = (int)(import[s] * Factor + 0.5);
                break;
        }
    }

    private bool InWindow(int minute) => (minute - WindowStart + 1440) % 1440 < WindowMinutes;

    private static void Scale(Span<int> values, double factor)
    {
        foreach (ref var x in values) x = (int)(x * factor + 0.5);
    }
}
