using System.Globalization;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;

namespace Twin.Silo.Soc;

/// <summary>
/// One entry of the ledger as a security operations centre hears of it: a finding, a case after a change, or a
/// response after a change. Exactly one of the three is given. A finding carries its evidence as figures of features,
/// never readings.
/// </summary>
/// <param name="Number">The entry's number in the ledger.</param>
/// <param name="Hash">The entry's hash in the chain, lower-case hexadecimal.</param>
/// <param name="At">Event time.</param>
internal sealed record SocEvent(long Number, string Hash, UnixTime At, TwinKey CaseKey, Finding? Finding,
    SubjectContext? Context, CaseSnapshot? Case, ResponseRecord? Response)
{
    /// <summary>
    /// The same for the same entry whenever it is sent: the case and the entry's number. A receiver that has an id
    /// already drops the second.
    /// </summary>
    public string Id => string.Create(CultureInfo.InvariantCulture, $"{CaseKey.Id:x16}-{Number}");

    public Severity Severity => Finding?.Severity ?? Case?.Severity ?? ResponseWords.SeverityOf(Response!);

    public string SubjectName => Finding?.SubjectName ?? Case?.SubjectName ?? Response!.SubjectName;

    public TwinKey Subject => Finding?.Subject ?? Case?.Subject ?? Response!.Subject;

    /// <summary>Stable name of what happened, as rules of a receiver use it.</summary>
    public string Code => Finding is { } f ? "finding." + Hardware.Finding.NameOf(f.Kind)
        : Case is { } c ? "case." + SnakeCase.Of(SocWords.ActivityOf(c))
        : "response." + SnakeCase.Of(Response!.State);

    /// <summary>One sentence for people.</summary>
    public string Sentence => Finding?.Sentence ?? Case?.Sentence ?? ResponseWords.SentenceOf(Response!);

    /// <summary>ATT&amp;CK for ICS ids, known ones first come first served; empty when none is said.</summary>
    public IReadOnlyList<string> Techniques => Finding is { Technique.Length: > 0 } f ? [f.Technique]
        : Case?.Techniques ?? [];

    /// <summary>
    /// Reads an entry; null when a SOC is not told of its kind: decisions, orders and acts show in the case and in
    /// the response that they change, and a request for a command in its response.
    /// </summary>
    /// <exception cref="InvalidDataException">The entry is damaged, or of a newer version.</exception>
    public static SocEvent? Of(StoredEntry stored)
    {
        var (entry, hash) = (stored.Entry, Convert.ToHexStringLower(stored.Hash));
        switch (entry.Kind)
        {
            case LedgerKind.Report:
                var report = Report.Read(entry.Body);
                return report.Finding is null ? null
                    : new SocEvent(stored.Number, hash, entry.At, entry.Case, report.Finding, report.Context, null,
                        null);
            case LedgerKind.Case:
                return new SocEvent(stored.Number, hash, entry.At, entry.Case, null, null,
                    CaseSnapshot.Read(entry.Body), null);
            case LedgerKind.Response:
                return new SocEvent(stored.Number, hash, entry.At, entry.Case, null, null, null,
                    ResponseRecord.Read(entry.Body));
            default:
                return null;
        }
    }
}

/// <summary>What is done with a finding object at the receiver; OCSF activity_id of Detection Finding.</summary>
internal enum SocActivity : byte { Create = 1, Update = 2, Close = 3 }

/// <summary>Words that formats share.</summary>
internal static class SocWords
{
    /// <summary>A case is new at the time at which the utility became aware of it, and closed when resolved.</summary>
    public static SocActivity ActivityOf(CaseSnapshot c) => c.Handling == CaseHandling.Resolved ? SocActivity.Close
        : c.ChangedAt.Seconds <= c.AwareAt.Seconds ? SocActivity.Create : SocActivity.Update;
}
