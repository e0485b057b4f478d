using System.Globalization;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Grains.Cases;

/// <summary>A decision and the entry of the ledger that has it.</summary>
public sealed record DecidedEntry(StoredEntry Entry, DecisionRecord Record);

/// <summary>One reason why a rung was not chosen; <paramref name="Rung"/> null where no rung is meant.</summary>
public sealed record RungReason(ResponseRung? Rung, string Reason);

/// <summary>
/// What the ledger has of one case. <paramref name="Case"/>: as it was last; null when nothing was found and somebody
/// only wants something. <paramref name="Decided"/>: the last decision about it. <paramref name="Responses"/>: as
/// recorded last, without undoings. <paramref name="Entries"/>: all of it, ascending.
/// </summary>
public sealed record CaseHistory(CaseSnapshot? Case, DecidedEntry? Decided, IReadOnlyList<ResponseRecord> Responses,
    IReadOnlyList<StoredEntry> Entries)
{
    /// <summary>Entries of a case that are read; a case has a handful a day. Later ones are not read.</summary>
    public const int MaxEntries = 10_000;

    /// <summary>
    /// The last that the ledger has of a case: of the number given, or the newest. A decision about a command that
    /// somebody wanted explains that command; the case itself is explained by the last about itself.
    /// </summary>
    /// <param name="ledger">Where it is read.</param>
    /// <param name="key">The case's twin.</param>
    /// <param name="number">Which of its cases; 0: the newest.</param>
    /// <param name="until">Only what was known by then.</param>
    /// <exception cref="InvalidDataException">An entry is damaged, or of a newer version.</exception>
    public static CaseHistory Of(ILedgerSource ledger, TwinKey key, int number, UnixTime? until = null)
    {
        CaseSnapshot? found = null;
        DecidedEntry? decided = null, last = null, wanted = null;
        var responses = new SortedDictionary<int, ResponseRecord>();
        var (kept, begin) = (new List<StoredEntry>(), 0);
        foreach (var e in ledger.EntriesOf(key, MaxEntries))
        {
            if (until is { } time && e.Entry.At.Seconds > time.Seconds) continue;
            if (e.Entry.Kind == LedgerKind.Case && CaseSnapshot.Read(e.Entry.Body) is var c)
            {
                if (number != 0 && c.Number > number) break;
                if (number == 0 || c.Number == number) (found, decided) = (c, last ?? wanted);
                // What came of the case before this one is not about this one.
                else (last, wanted, begin) = (null, null, kept.Count + 1);
            }
            else if (e.Entry.Kind == LedgerKind.Decision)
            {
                var record = DecisionRecord.Read(e.Entry.Body);
                if (record.Facts.Wanted is null) last = new DecidedEntry(e, record);
                else wanted = new DecidedEntry(e, record);
            }
            else if (e.Entry.Kind is LedgerKind.Response or LedgerKind.Order
                && ResponseRecord.Read(e.Entry.Body) is { IsUndo: false } r) responses[r.Number] = r;
            kept.Add(e);
        }
        return new CaseHistory(found, found is null ? last ?? wanted : decided, [.. responses.Values], kept[begin..]);
    }

    /// <summary>What happens if nobody does anything, and what waits for somebody.</summary>
    public static IEnumerable<string> Next(Decision? d, IReadOnlyList<ResponseRecord> responses)
    {
        var any = false;
        foreach (var r in responses)
        {
            var next = r.State switch
            {
                ResponseState.Proposed when r.Approvals.Length < r.Needed => string.Create(
                    CultureInfo.InvariantCulture,
                    $"waits for {r.Needed - r.Approvals.Length} of {r.Needed} persons to approve it"),
                ResponseState.Proposed => "goes to the guards with the next sweep",
                ResponseState.Authorised => $"goes out at {r.DueAt}, if policy and guards still agree",
                ResponseState.Executing => "waits for its outcome",
                ResponseState.Quarantined => "is held until people process or delete it",
                ResponseState.Done when r.ExpiresAt.Seconds != 0 => $"is taken back at {r.ExpiresAt}",
                _ => null,
            };
            if (next is null) continue;
            any = true;
            yield return $"{SnakeCase.Of(r.Rung)} {next}.";
        }
        if (d is { ReviewAt.Seconds: not 0 }) yield return $"The policy is asked again at {d.ReviewAt}.";
        else if (!any) yield return "Nothing by itself: a new finding or a person has the policy asked again.";
    }

    /// <summary>The reasons of a decision one by one, each with the rung that it is about.</summary>
    public static IReadOnlyList<RungReason> Reasons(string text) => [.. text.Split("; ",
        StringSplitOptions.RemoveEmptyEntries).Select(part => new RungReason(RungOf(part), part))];

    private static ResponseRung? RungOf(string reason)
    {
        foreach (var rung in Enum.GetValues<ResponseRung>())
            if (reason.StartsWith(CaseSentences.NameOf(rung) + " ", StringComparison.Ordinal)) return rung;
        return null;
    }
}
