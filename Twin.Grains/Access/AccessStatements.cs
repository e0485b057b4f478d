using Twin.Hardware;

namespace Twin.Grains.Access;

/// <summary>The findings that the twin of access states, in words. Their subject is the person or service.</summary>
internal static class AccessStatements
{
    /// <summary>Raised when access judges differently; stored with each finding.</summary>
    private const int DetectorVersion = 1;
    private const string Detector = "access";

    /// <summary>Valid accounts, and data from information repositories; ATT&amp;CK for ICS v18.1.</summary>
    private const string ValidAccounts = "T0859", Repositories = "T0811";

    public static Finding RoleChanged(Holder holder, Holder? before, HolderSet h)
    {
        var isGrave = h.Role is Role.Approver or Role.Admin || h.IsBreakGlass
            || before is { IsBreakGlass: true };
        var was = before is null ? "was not known" : before.IsDisabled ? "was disabled"
            : $"was {SnakeCase.Of(before.Role)}";
        return Make(holder.Name, FindingKind.RoleChanged, h.At, isGrave ? Severity.Medium : Severity.Low, ValidAccounts,
            $"{h.By} made {holder.Name}, who {was}, {SnakeCase.Of(h.Role)}"
                + (h.Role == Role.Approver ? $"; what {holder.Name} approves counts from {holder.ApprovesFrom} on."
                : "."),
            [new Evidence("role", (int)h.Role, before is null ? 0 : (int)before.Role, 1, "")],
            before is null ? ["the first role of a new person or service"] : []);
    }

    public static Finding KeyMade(Holder holder, KeyIssued k) => Make(holder.Name, FindingKind.RoleChanged, k.At,
        holder.Role is Role.Approver or Role.Admin ? Severity.Medium : Severity.Low, ValidAccounts,
        $"{k.By} made key {k.Id:x16} for {holder.Name}, who is "
            + $"{SnakeCase.Of(holder.Role)}. Whoever has it is {holder.Name} here.",
        [new Evidence("role", (int)holder.Role, (int)holder.Role, 1, "")],
        ["keys are renewed before they expire: ask whether it was asked for"]);

    public static Finding BreakGlass(AccessNoted n) => Make(n.By.Person, FindingKind.BreakGlassUsed, n.At,
        Severity.High,
        ValidAccounts, $"The account for emergencies of {n.By} was used ({n.Purpose}).",
        [new Evidence("uses", 1, 0, 1, "")], ["emergencies are what it is for: ask what happened"]);

    public static Finding SignInsFailed(AccessNoted n) => Make(n.By.Person, FindingKind.SignInsFailed, n.At,
        Severity.Medium, ValidAccounts, $"{n.Count} keys that are none were tried within a short time ({n.Purpose}).",
        [new Evidence("tries", n.Count, 0, 1, "")], ["a program with an old key tries it again and again"]);

    public static Finding BulkRead(AccessNoted n, long count) => Make(n.By.Person, FindingKind.BulkRead, n.At,
        Severity.Medium, Repositories, n.What == AccessKind.LoadCurveRead
            ? $"{n.By} read the load curves of {count} customers within an hour, the last for: {n.Purpose}."
            : $"{n.By} exported {count} rows: {n.Purpose}.",
        [new Evidence(n.What == AccessKind.LoadCurveRead ? "customers_in_an_hour" : "rows", count,
            ReadBook.BulkMeters, 1, "")], []);

    private static Finding Make(string name, FindingKind kind, UnixTime at, Severity severity, string technique,
        string sentence, Evidence[] evidence, string[] counter) =>
        new(TwinKey.Named(TwinKind.Access, PersonKey.Of(name)), name, kind, at, at, at, 1, severity, 0.9, Detector,
            DetectorVersion, technique, sentence, evidence, counter);
}
