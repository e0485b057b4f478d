using Twin.Hardware.Emulator.Network;

namespace Twin.Hardware.Attacks;

/// <summary>Short words for writing entries of the catalogue.</summary>
internal static class Entry
{
    /// <summary>The usual scene: a week of honest life, then the attack, then a week to be seen.</summary>
    public const int Onset = 8, Days = 15;

    /// <summary>Reading models learn for four weeks first, and see two weeks and the horizon after.</summary>
    public const int ReadingOnset = 30, ReadingDays = 48;

    /// <summary>Minutes: what must be answered within the hour, the day, the week.</summary>
    public const int Hour = 60, Day = 24 * 60, Week = 7 * Day;

    /// <summary>Acts of the day happen from 10:00 on.</summary>
    public const int Morning = 600;

    public static readonly int[] First = [3];

    public static Act At(int day, Action<AttackStage> act) => new(day, Morning, act);
    public static Act At(int day, int minute, Action<AttackStage> act) => new(day, minute, act);

    public static IEnumerable<Act> Daily(int from, int to, Action<AttackStage> act) =>
        Enumerable.Range(from, to - from + 1).Select(d => At(d, act));

    public static IEnumerable<Act> Daily(int from, int to, int minute, Action<AttackStage> act) =>
        Enumerable.Range(from, to - from + 1).Select(d => At(d, minute, act));

    public static Scene Usual(params Act[] acts) => new(Days, SceneKind.Usual, acts);

    /// <summary>Meters that were not made as they should be.</summary>
    public static IReadOnlyDictionary<int, MeterBirth> Births(params (int Meter, MeterBirth Birth)[] births) =>
        births.ToDictionary(b => b.Meter, b => b.Birth);

    /// <summary>Attacks before installation take hold with the first day.</summary>
    public static GroundTruth Born(params int[] meters) => new(meters, 0, 0, null, false, false);

    public static Scene Long(params Act[] acts) => new(ReadingDays, SceneKind.Usual, acts);

    /// <summary>Every kind must be found.</summary>
    public static Expectation All(params FindingKind[] kinds) => new([.. kinds.Select(k => (FindingKind[])[k])]);

    /// <summary>One of the kinds must be found.</summary>
    public static Expectation Any(params FindingKind[] kinds) => new([kinds]);

    public static ResponseBounds Answer(ResponseRung sufficient, ResponseRung most, int minutes) =>
        new(sufficient, most, minutes);

    /// <summary>Nothing is to be done.</summary>
    public static readonly ResponseBounds NoAnswer = new(ResponseRung.Log, ResponseRung.Log, 0);

    public static GroundTruth Truth(int[] meters) => new(meters, Onset, Morning, null, false, false);

    public static GroundTruth ReadingTruth(int[] meters) => new(meters, ReadingOnset, 0, null, true, false);

    public static Attack Of(string id, string name, LifeStage stage, string technique, string basis,
        string description, GroundTruth truth, Expectation expected, ResponseBounds response, Scene scene) =>
        new(id, name, description, stage, technique, basis, truth, expected, response, "", scene);
}
