namespace Twin.Hardware.Emulator;

/// <summary>
/// What a label says: a theft, a fault of the meter, or an innocent change that looks like one of them.
/// </summary>
public enum LabelNature : byte { Theft = 1, Fault = 2, LookAlike = 3 }

/// <summary>
/// What is done to a meter. Formulas after Jokar et al. 2016 and Shi et al. (x: the day's true interval energies); each
/// is dealt in turn, so that a fleet with enough labels has every kind.
/// </summary>
public enum LabelKind : byte
{
    /// <summary>αx, α ~ U(0.1, 0.8).</summary>
    Scaled = 1,
    /// <summary>min(x, γ), γ between the median and the 80th percentile of the home's week before.</summary>
    Capped = 2,
    /// <summary>0 in a daily window of 4 to 10 h.</summary>
    ZeroWindow = 3,
    /// <summary>0.1x from 22 to 6 h.</summary>
    NightBypass = 4,
    /// <summary>The seven days before the onset, again and again.</summary>
    RepeatedDays = 5,
    /// <summary>x less 5 to 10 % more each day, down to a floor of 0 to 0.7.</summary>
    Ramp = 6,

    /// <summary>The last interval before the onset, for ever.</summary>
    Stuck = 16,
    /// <summary>2x/3: one of three phases is not measured.</summary>
    LostPhase = 17,
    /// <summary>Current transformer ratio entered wrongly: 0.5, 0.6, 0.8 or 1.5 times x.</summary>
    WrongCtRatio = 18,
    /// <summary>Slides to −6 % within 30 days and stays.</summary>
    Drift = 19,

    /// <summary>Nobody at home for 10 to 21 days.</summary>
    Vacancy = 32,
    /// <summary>A car is charged from the onset on.</summary>
    NewEv = 33,
    /// <summary>PV on the roof from the onset on.</summary>
    NewPv = 34,
    /// <summary>1 to 4 days without readings, ended by one reading that holds all the missed energy.</summary>
    GapCatchUp = 35,
    /// <summary>1 to 4 days without readings, delivered 1 to 6 days after the gap.</summary>
    GapBackfill = 36,
    /// <summary>Another household lives there from the onset on.</summary>
    MoveIn = 37,
}

/// <summary>
/// The truth about one customer. Days are indexes into the world, both inclusive; readings outside are untouched.
/// </summary>
public sealed record Label(int MeterIndex, string Meter, string Feeder, LabelKind Kind, LabelNature Nature,
    int FromDay, int ToDay, string Note)
{
    /// <summary>The kind as written in files: <c>night_bypass</c>.</summary>
    public string KindName => SnakeCase.Of(Kind);

    /// <summary>The nature as written in files: <c>look_alike</c>.</summary>
    public string NatureName => SnakeCase.Of(Nature);

    internal static LabelNature NatureOf(LabelKind kind) =>
        kind < LabelKind.Stuck ? LabelNature.Theft
        : kind < LabelKind.Vacancy ? LabelNature.Fault
        : LabelNature.LookAlike;
}
