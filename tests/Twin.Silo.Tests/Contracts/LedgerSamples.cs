using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Silo.Tests.Soc;

namespace Twin.Silo.Tests.Contracts;

/// <summary>Cases and entries of the journals' contract.</summary>
internal static class LedgerSamples
{
    /// <summary>The id of a subject; spread over both halves of the unsigned numbers.</summary>
    private static TwinKey Subject(int n) => new(n % 3 == 0 ? TwinKind.Feeder : TwinKind.Meter,
        unchecked((ulong)n * 0x9E37_79B9_7F4A_7C15));

    /// <summary>A case as it stands after a change.</summary>
    public static CaseSnapshot Case(int subject, Desk desk, int number, int change) => Samples.Snapshot() with
    {
        Case = CaseKey.Of(Subject(subject), desk),
        Number = number,
        Subject = Subject(subject),
        SubjectName = $"S{subject}",
        Desk = desk,
        Sentence = $"Change {change} of S{subject}.",
        ChangedAt = new UnixTime(Samples.At.Seconds + change / 2 * 60),
        Condition = (CaseCondition)(1 + change % 3),
        Handling = (CaseHandling)(1 + change % 4),
        Disposition = change % 4 == 3 ? Disposition.Benign : Disposition.None,
        Verdict = change % 7 == 0 ? CaseVerdict.Suppressed : change % 5 == 0 ? CaseVerdict.LogOnly : CaseVerdict.Open,
        Placing = change % 6 == 1 ? Placing.Grouped : Placing.Queued,
    };

    /// <summary>Changes of cases of many subjects on all desks, in no order of time or id.</summary>
    public static List<CaseSnapshot> Cases()
    {
        var all = new List<CaseSnapshot>();
        for (var n = 0; n < 120; n++)
        {
            var change = n * 37 % 120;
            all.Add(Case(1 + n % 11, (Desk)(1 + n % 4), 1 + n / 60, change));
        }
        return all;
    }

    /// <summary>An entry of each of the kinds that a person would look for, about one subject.</summary>
    public static LedgerEntry[] Story(int subject, int minute)
    {
        var (c, at) = (Case(subject, Desk.Security, 1, 2 * minute), new UnixTime(Samples.At.Seconds + minute * 60));
        var act = new CaseAct(c.Case, at, new Actor("Ada", "key-1"), CaseActKind.Comment, 0, "", "seen");
        return
        [
            Samples.Report(Samples.Finding($"S{subject}")) with { Case = c.Case, At = at },
            Samples.Entry(c),
            new LedgerEntry(LedgerKind.Act, at, c.Case, act.ToBytes()),
            Samples.Entry(Samples.Response(ResponseRung.BlockWrites, ResponseState.Executing) with { Case = c.Case }),
        ];
    }
}
