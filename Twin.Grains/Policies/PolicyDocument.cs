using Twin.Hardware;
using Twin.Hardware.Attestation;

namespace Twin.Grains.Policies;

/// <summary>
/// Harm in one unit, so that acting can be weighed against not acting: the unit is one minute without supply of one
/// ordinary customer. Everything here is the utility's own judgement, stated.
/// </summary>
/// <param name="Minute">Harm of a customer minute by category; unknown and outdated ones count as critical.</param>
/// <param name="Kilowatt">Harm of moving one kW of load at once.</param>
/// <param name="MeterHour">Harm of one meter exposed for an hour.</param>
/// <param name="HorizonHours">For so long a threat is taken to go on when nothing is done.</param>
/// <param name="UnknownWatts">Load of a meter of which none is known, W.</param>
/// <param name="CategoryDays">A category is believed for so many days.</param>
/// <param name="LifeYears">Years that a meter is meant to serve: what wears it counts by what is left of them.</param>
/// <param name="Reach">Meters that a compromised thing exposes, by the beginning of the case's cause.</param>
public sealed record HarmFigures(IReadOnlyDictionary<CustomerCategory, double> Minute, double Kilowatt,
    double MeterHour, double HorizonHours, int UnknownWatts, int CategoryDays, double LifeYears,
    IReadOnlyDictionary<string, double> Reach);

/// <summary>
/// What a rung costs and brings. <paramref name="Effect"/>: share of the harm that it prevents, 0 to 1.
/// <paramref name="Minutes"/>: customer minutes that it costs; <paramref name="Cost"/>: other harm of doing it, in
/// units; <paramref name="Wear"/>: units by which it ages a new meter.
/// </summary>
public sealed record RungTerms(Enforcer Enforcer, int Approvals, int ExpirySeconds, int MeanDelaySeconds,
    double Effect, double Minutes, double Cost, double Wear);

/// <summary>Which cases a rule is for; null and empty mean any. A kind must be met by one finding with all of it.
/// </summary>
public sealed record Selector(FindingKind[] Kinds, Severity? Severity, double? Confidence, bool? Proof,
    string[] Causes, Desk[] Desks, TwinKind[] Subjects, LifeCycle[] Stages, CustomerCategory[] Categories,
    string[] Models, string[] Firmwares, string[] Lots, double? ServiceYears, bool? Confirmed, bool? Dangerous,
    int? Members);

/// <summary>
/// A rule: the ladder that may be climbed for such cases, mildest first, a step at a time, the next one after the wait
/// if the case still stands. <paramref name="Likelihood"/>: that there is a threat when it is found;
/// <paramref name="Harm"/>: what it does if nothing is done, where exposed meters are no measure of it.
/// </summary>
public sealed record PolicyRule(string Name, Selector When, bool Open, double Likelihood, double? Harm,
    ResponseRung[] Ladder, int WaitSeconds);

/// <summary>When supply may be switched off: days of the week, hours of the local day, not on these dates.</summary>
public sealed record DisconnectWindow(string Zone, DayOfWeek[] Days, int FromHour, int ToHour, DateOnly[] Not);

/// <summary>New cases a day that a desk can look at, −1 for any number, and from how many on a storm is one.</summary>
public sealed record DeskTerms(int NewCasesADay, int StormSize);

/// <summary>An example in the document itself: what is found, and what must come of it.</summary>
public sealed record PolicyExample(string Name, int Line, CaseFacts Facts, ResponseRung Rung, int? Approvals,
    bool? Refused);

/// <summary>A policy as read and checked. <paramref name="Digest"/>: SHA-256 of its text, hexadecimal.</summary>
public sealed record PolicyDocument(string Name, int Version, string Digest, HarmFigures Figures,
    IReadOnlyDictionary<ResponseRung, RungTerms> Rungs, PolicyRule[] Rules, GuardLimits Limits,
    int SwitchRequestsPerHour, DisconnectWindow Window, IReadOnlyDictionary<Desk, DeskTerms> Desks,
    PolicyExample[] Examples);

/// <summary>A mistake in a policy: where, what, and what is allowed instead.</summary>
public sealed record PolicyError(int Line, int Column, string Message)
{
    public override string ToString() => $"{Line}:{Column}: {Message}";
}
