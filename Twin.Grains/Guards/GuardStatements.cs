using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Grains.Guards;

/// <summary>The findings that the fleet's guard states, in words.</summary>
internal static class GuardStatements
{
    /// <summary>Raised when guards judge differently; stored with each finding.</summary>
    private const int DetectorVersion = 1;
    private const string Detector = "guards";

    /// <summary>Unauthorised command message, ATT&amp;CK for ICS v18.1.</summary>
    private const string UnauthorisedCommand = "T0855";

    /// <summary>Refusals of one account from which its volume is stated: one over the budget is everyday.</summary>
    public const int VolumeFrom = 5;

    /// <summary>Refusals from which it is grave.</summary>
    private const int GraveFrom = 100;

    /// <summary>Most accounts named.</summary>
    private const int MaxNamed = 8;

    /// <summary>Commands are held and wait for a person.</summary>
    public static Finding Quarantined(TwinKey self, string name, AccountBook accounts, BudgetWindow window,
        in Budget budget, long now)
    {
        var refused = Busiest(accounts, static _ => true);
        var (count, watts, from) = Sum(refused);
        return new Finding(self, name, FindingKind.CommandsQuarantined, new UnixTime(from), Later(from, now),
            new UnixTime(now), 2, count >= GraveFrom ? Severity.High : Severity.Medium, 1, Detector, DetectorVersion,
            refused.Any(a => a.Name.Length > 0) ? UnauthorisedCommand : "",
            $"{count} commands that move {watts} W are held since {new UnixTime(from)}: over a budget, in a rhythm, or "
                + $"without a work order; asked for by {Names(refused)}; say process or delete.",
            [
                new Evidence("commands_held", count, 0, 1, ""), new Evidence("load_held", watts, 0, 0, "W"),
                new Evidence("commands_granted_hour", window.CommandsHour, budget.CommandsHour, 0, ""),
                new Evidence("load_granted_hour", window.WattsHour, budget.WattsHour, 0, "W"),
            ], []);
    }

    /// <summary>Accounts whose volume was not yet stated; null when there is none. Marks them as told.</summary>
    public static Finding? Volume(TwinKey self, string name, AccountBook accounts, in Budget budget, long now)
    {
        var loud = Busiest(accounts, static a => !a.Told && a.Refused >= VolumeFrom);
        loud.RemoveAll(a => a.Name.Length == 0);
        if (loud.Count == 0) return null;
        foreach (var (_, account) in loud) account.Told = true;
        var (count, watts, from) = Sum(loud);
        var granted = loud.Sum(a => a.Account.Window.CommandsDay);
        var evidence = new List<Evidence>
        {
            new("commands_refused", count, 0, 0.8, ""), new("load_refused", watts, 0, 0.2, "W"),
            new("commands_granted", granted, budget.CommandsDay, 0, ""),
        };
        foreach (var (account, known) in loud.Take(MaxNamed))
            evidence.Add(new Evidence("account:" + account, known.Refused, 0, 0, ""));
        return new Finding(self, name, FindingKind.CommandVolume, new UnixTime(from), Later(from, now),
            new UnixTime(now), 4, count >= GraveFrom ? Severity.High : Severity.Medium, 0.85, Detector, DetectorVersion,
            UnauthorisedCommand,
            $"{Names(loud)} asked for {count} commands more than the budgets have room for, {watts} W of load, since "
                + $"{new UnixTime(from)}; {granted} were granted within a day.",
            [.. evidence], []);
    }

    /// <summary>Time went on by more than may be between two sweeps.</summary>
    public static Finding Jump(TwinKey self, string name, long before, long now, int most) => new(self, name,
        FindingKind.ClockJump, new UnixTime(before), new UnixTime(now), new UnixTime(now), 1, Severity.Low, 0.9,
        Detector, DetectorVersion, "",
        $"Time went on by {now - before} s between two sweeps, and {most} s are the most that is trusted: budgets give "
            + "nothing back for it. Check the host's clock, or why it was down.",
        [new Evidence("seconds", now - before, most, 1, "s")], []);

    private static List<(string Name, Account Account)> Busiest(AccountBook accounts, Predicate<Account> which) =>
        [.. accounts.Accounts.Where(a => a.Value.Refused > 0 && which(a.Value)).Select(a => (a.Key, a.Value))
            .OrderByDescending(a => a.Value.Refused).ThenBy(a => a.Key, StringComparer.Ordinal)];

    private static (int Count, long Watts, long From) Sum(List<(string Name, Account Account)> of)
    {
        var (count, watts, from) = (0L, 0L, long.MaxValue);
        foreach (var (_, a) in of)
            (count, watts, from) = (count + a.Refused, Math.Min(watts, long.MaxValue / 2) + a.WattsRefused,
                Math.Min(from, a.RefusedFrom));
        return ((int)Math.Min(count, int.MaxValue), watts, from);
    }

    private static UnixTime Later(long from, long now) => new(Math.Max(from, now));

    private static string Names(List<(string Name, Account Account)> of)
    {
        var names = of.Take(MaxNamed).Select(a => a.Name.Length == 0 ? "the policy"
            : a.Name == AccountBook.Others ? "further accounts" : a.Name);
        var text = string.Join(", ", names);
        return of.Count > MaxNamed ? $"{text} and {of.Count - MaxNamed} more" : text;
    }
}
