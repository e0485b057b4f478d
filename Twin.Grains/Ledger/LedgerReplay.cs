using Twin.Grains.Policies;
using Twin.Hardware;

namespace Twin.Grains.Ledger;

/// <summary>
/// Makes the decisions of a ledger again, from the ledger alone: entries go in as they follow each other, and what
/// comes out is a sentence for each decision that comes out otherwise, or stands on something that the ledger does not
/// have. Every entry is decoded, so that one that cannot be read is named too.
/// </summary>
public sealed class LedgerReplay
{
    /// <summary>Documents, suppressions and works that are remembered; a ledger with more is read by parts.</summary>
    private const int MaxKnown = 100_000;

    private readonly Dictionary<string, PolicyDocument> _policies = [];
    private readonly HashSet<string> _covers = [];
    private bool _frozen, _isThawing;
    private string _thawedBy = "";

    /// <summary>Decisions made again; decisions of other rules (<see cref="PolicyEngine.Version"/>) that were not.
    /// </summary>
    public long Decided { get; private set; }
    public long Others { get; private set; }

    private int _rules;

    /// <summary>What is wrong with an entry; null when nothing is.</summary>
    public string? Problem(StoredEntry stored)
    {
        try
        {
            return Take(stored.Entry);
        }
        catch (InvalidDataException e)
        {
            return $"it cannot be read: {e.Message}";
        }
    }

    private string? Take(LedgerEntry entry)
    {
        switch (entry.Kind)
        {
            case LedgerKind.Policy:
                var record = PolicyRecord.Read(entry.Body);
                _rules = record.Rules;
                if (_rules == PolicyEngine.Version && _policies.Count < MaxKnown)
                {
                    if (PolicyReader.Read(record.Text, out var errors) is not { } policy)
                        return $"the policy in it does not hold: {string.Join("; ", errors.Take(3))}";
                    _policies[policy.Digest] = policy;
                }
                return null;
            case LedgerKind.Decision:
                return Again(DecisionRecord.Read(entry.Body));
            case LedgerKind.Act:
                Heed(Input.Read(entry.Body));
                return null;
            case LedgerKind.Report:
                Cases.Report.Read(entry.Body);
                return null;
            case LedgerKind.Case:
                Cases.CaseSnapshot.Read(entry.Body);
                return null;
            default:
                Cases.ResponseRecord.Read(entry.Body);
                return null;
        }
    }

    private void Heed(Input act)
    {
        switch (act)
        {
            case Suppression s when _covers.Count < MaxKnown: _covers.Add(s.Id); break;
            case PlannedWork w when _covers.Count < MaxKnown: _covers.Add(w.Id); break;
            // One person freezes, two thaw.
            case FreezeAct { Freeze: true }: (_frozen, _isThawing, _thawedBy) = (true, false, ""); break;
            case FreezeAct f when !_isThawing: (_isThawing, _thawedBy) = (true, f.By.Key); break;
            case FreezeAct f when f.By.Key != _thawedBy: (_frozen, _isThawing) = (false, false); break;
        }
    }

    private string? Again(DecisionRecord record)
    {
        var was = record.Decision;
        if (_rules != PolicyEngine.Version && _rules != 0)
        {
            Others++;
            return null;
        }
        if (!_policies.TryGetValue(was.PolicyDigest, out var policy))
            return $"it was decided under policy {was.PolicyName} ({was.PolicyDigest}), which no entry before it has";
        var isCovered = was.Verdict is CaseVerdict.Suppressed or CaseVerdict.Planned;
        if (isCovered && !_covers.Contains(was.Covered))
            return $"it is covered by {was.Covered}, which no entry before it has";
        if (was.HoldAll && !_frozen) return "it holds for the freeze, and no entry before it froze anything";
        var scene = new PolicyScene(_frozen, isCovered ? was.Verdict : default, isCovered ? was.Covered : "");
        var again = PolicyEngine.Decide(policy, record.Facts, scene);
        Decided++;
        return Same(was, again) ? null : $"decided again from the same facts it is {again.Rung} by rule '{again.Rule}' "
            + $"and not {was.Rung} by rule '{was.Rule}', or for other reasons";
    }

    private static bool Same(Decision a, Decision b)
    {
        var (x, y) = (new Hardware.Coding.ByteWriter(512), new Hardware.Coding.ByteWriter(512));
        a.Write(x);
        b.Write(y);
        return x.Written.SequenceEqual(y.Written);
    }
}
