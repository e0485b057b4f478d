using System.Globalization;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Api;

/// <summary>
/// One event. <paramref name="Case"/>: the case's id, without its number where the entry has none; empty where it is
/// about none. <paramref name="Who"/>: empty where the machine only notes.
/// </summary>
internal sealed record EventData(long Number, UnixTime At, string Kind, string Case, string Subject, string SubjectName,
    string Region, string Who, string Text, Severity? Severity, string State, int? Response);

/// <summary>Makes events of entries, for one client.</summary>
internal sealed class EventView(ILedgerSource ledger, Caller caller)
{
    /// <summary>Places of cases that are remembered; at the bound all are looked up anew.</summary>
    private const int MaxPlaces = 10_000;

    private readonly Dictionary<TwinKey, string> _regions = [];

    /// <summary>The event of an entry; null for what is told with another entry, or is not this client's.</summary>
    public (string Kind, EventData Data)? Of(StoredEntry stored)
    {
        var entry = stored.Entry;
        if (KindOf(entry) is not { } kind) return null;
        if (!IsFor(stored)) return null;
        var region = entry.Case.Kind == 0 ? "" : RegionOf(entry);
        var data = new EventData(stored.Number, entry.At, LedgerWords.KindOf(entry), CaseOf(entry.Case), "", "", region,
            LedgerWords.WhoOf(entry), LedgerWords.Of(entry).Text, null, "", null);
        return (kind, entry.Kind switch
        {
            LedgerKind.Case when CaseSnapshot.Read(entry.Body) is var c => data with
            {
                Case = c.Id,
                Subject = c.Subject.ToString(),
                SubjectName = c.SubjectName,
                Severity = c.Severity,
                State = SnakeCase.Of(c.Handling),
            },
            LedgerKind.Response or LedgerKind.Order when ResponseRecord.Read(entry.Body) is var r => data with
            {
                Subject = r.Subject.ToString(),
                SubjectName = r.SubjectName,
                State = SnakeCase.Of(r.State),
                Response = r.Number,
            },
            LedgerKind.Report when Report.Read(entry.Body).Finding is { } f => data with
            {
                Subject = f.Subject.ToString(),
                SubjectName = f.SubjectName,
                Severity = f.Severity,
                State = Finding.NameOf(f.Kind),
            },
            _ => data,
        });
    }

    /// <summary>
    /// What is about no case is for all, but where it names a place or a person: that is for those without a limit to
    /// regions.
    /// </summary>
    public bool IsFor(StoredEntry stored) => caller.Regions.Count == 0 || (stored.Entry.Case.Kind == 0
        ? stored.Entry.Kind != LedgerKind.Act || Input.Read(stored.Entry.Body) is PolicyActivation or FreezeAct
        : caller.Covers(RegionOf(stored.Entry)));

    public static string CaseOf(TwinKey key) =>
        key.Kind == TwinKind.Case ? key.Id.ToString("x16", CultureInfo.InvariantCulture) : "";

    /// <summary>A decision is told with the case and the responses that it changes.</summary>
    private static string? KindOf(LedgerEntry entry) => entry.Kind switch
    {
        LedgerKind.Case => "case",
        LedgerKind.Response or LedgerKind.Order => "response",
        LedgerKind.Report => LedgerWords.KindOf(entry) == "finding" ? "finding" : "act",
        LedgerKind.Policy => "policy",
        LedgerKind.Act => Input.Read(entry.Body) switch
        {
            PolicyActivation => "policy",
            CaseAct or ResponseAct or ResponseOutcome or Suppression or PlannedWork or FreezeAct => "act",
            _ => null,
        },
        _ => null,
    };

    private string RegionOf(LedgerEntry entry)
    {
        if (entry.Kind == LedgerKind.Report) return Keep(entry.Case, Report.Read(entry.Body).Context.Region);
        if (_regions.TryGetValue(entry.Case, out var known)) return known;
        return Keep(entry.Case, ledger.Find(new CaseQuery(null, null, null, null, true, 1) { One = (entry.Case, 0) })
            is [var row] ? row.Region
            : ledger.Responses(new ResponseQuery(null, entry.Case, null, 1)) is [var response] ? response.Region : "");
    }

    private string Keep(TwinKey key, string region)
    {
        if (_regions.Count >= MaxPlaces) _regions.Clear();
        return _regions[key] = region;
    }
}
