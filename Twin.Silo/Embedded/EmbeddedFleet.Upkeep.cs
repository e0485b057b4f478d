using System.Globalization;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Guards;
using Twin.Hardware;
using Twin.Silo.Engine;
using Twin.Silo.Storage;

namespace Twin.Silo.Embedded;

// Retention and erasure. A rebuild can no longer begin before what was removed, so a base snapshot is written first; a
// crash between the two is finished at the next start.
public sealed partial class EmbeddedFleet
{
    /// <summary>
    /// Erases a meter's readings before a local day, for good; completes when they are gone from the files.
    /// </summary>
    public async Task<Tombstone> Erase(MeterId meter, int beforeDay, string reason)
    {
        var batch = new InputBatch("host");
        batch.Add(new Erasure(meter, beforeDay, reason));
        var receipt = await Append(batch, CancellationToken.None);
        if (receipt.Items[0].Status == AdmissionStatus.Rejected)
            throw new ArgumentException(receipt.Items[0].Reason, nameof(meter));
        await _sequencer.Ask(() => EraseFiles(new Erasure(meter, beforeDay, reason), receipt.Position));
        return _journal.Tombstones().Last(t => t.Meter == meter);
    }

    /// <summary>How inputs would fare, each against the fleet as it is: nothing changes.</summary>
    internal List<Admission> WouldAdmit(IReadOnlyList<Input> inputs) => [.. inputs.Select(input =>
    {
        var bytes = input.ToBytes();
        object Ask(TwinState twin) => twin.Admit(bytes, _sequencer.Recall, Nothing.Stored);
        return (Admission)(_host.Read(input.Target, Ask) ?? Ask(_factory.Create(input.Target)));
    })];

    /// <summary>The newest verdict on a finding, and where it is journalled; null when there is none.</summary>
    internal (Verdict Said, long Position)? VerdictOn(Finding finding)
    {
        (Verdict, long)? newest = null;
        _journal.ReadAddressed(finding.Subject, 0, (position, input) =>
        {
            if (Envelope.Read(input).Kind == InputKind.Verdict && Input.Read(input) is Verdict v
                && v.FindingId.ToString("x16", CultureInfo.InvariantCulture) == finding.Id) newest = (v, position);
        });
        return newest;
    }

    /// <summary>Seals the ledger up to what is committed.</summary>
    internal void SealNow() => _sequencer.Ask(() =>
    {
        _sequencer.Drain(throwOnError: true);
        return SealLedger();
    }).GetAwaiter().GetResult();

    /// <summary>A ledger that is damaged is not handed out under a new signature.</summary>
    /// <exception cref="DataDirectoryException">It is; what is wrong is named.</exception>
    internal void RequireSoundLedger()
    {
        if (_journal.CheckLedger(_ => { }).FirstOrDefault() is { } problem)
            throw Sql.Damaged($"its ledger: {problem}", null);
    }

    /// <summary>Of the key that seals, SubjectPublicKeyInfo.</summary>
    internal byte[] PublicKey => _key.Public;

    /// <summary>Of the key that signs seals as well; null without.</summary>
    internal Hardware.Signatures.KnownKey? PublicOther => _key.PublicOther;

    /// <summary>Signs what is made of the ledger.</summary>
    internal byte[] Sign(byte[] data) => _key.Sign(data);

    private bool SealLedger()
    {
        _sealer.Seal();
        return true;
    }

    /// <summary>
    /// A directory that was restored knows nothing of what its successor did: what was on its way waits for people, and
    /// the fleet's guard gives no room before two of them have looked. The time is the last that the directory knows.
    /// </summary>
    private void QuarantineAll()
    {
        var end = _journal.End.Number;
        var at = end > 0 ? _journal.Entries(end - 1, 1)[0].Entry.At : _sequencer.Status("").Watermark ?? default;
        var by = new Actor("metertwin", "restore");
        const string why = "restored from a backup: what was ordered since is not known here";
        ResponseAct Hold(TwinKey key) => new(key, at, by, ResponseActKind.Quarantine, 0, ResponseRung.Log, why);
        var acts = new Queue<Input>([Hold(GuardKey.Fleet),
            .. _host.Keys(TwinKind.Case).Where(HasPending).Select(Hold)]);
        while (acts.Count > 0)
        {
            var batch = new InputBatch("host");
            while (acts.Count > 0 && !batch.IsFull) batch.Add(acts.Dequeue());
            foreach (var item in Append(batch, CancellationToken.None).AsTask().GetAwaiter().GetResult().Items)
                if (item.Status == AdmissionStatus.Rejected) _log($"After the restore: {item.Reason}");
        }
        _log("This directory was restored from a backup: pending responses wait for 'metertwin response process ID', "
            + "and every command until two persons have said 'metertwin response process fleet'.");
        _directory.ForgetRestore();
    }

    private bool HasPending(TwinKey key) => State(key, AsOf.Now, CancellationToken.None).Result is { } state
        && CaseView.From(key, state).Responses.Any(r => r.State is ResponseState.Proposed or ResponseState.Authorised);

    private bool EraseFiles(Erasure act, long position)
    {
        WriteBase();
        _journal.Erase(act.Meter, act.BeforeDay, position);
        return true;
    }

    /// <summary>
    /// Snapshots and retention, between two batches. Neither may stop the engine: the journal has everything, the next
    /// batch tries again.
    /// </summary>
    private void KeepHouse()
    {
        try
        {
            if (_sequencer.BytesSinceSnapshot >= _options.SnapshotBytes) WriteSnapshot(isBase: false);
            Retain();
            _sealer.SealInTime();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or StorageUnavailableException)
        {
            _log($"No snapshot was written, or no seal: {e.Message}");
        }
    }

    /// <summary>Whole sealed periods older than the retention go, a window at a time.</summary>
    private void Retain()
    {
        if (_options.RetentionDays is not { } days || _sequencer.ClosedThrough == int.MinValue) return;
        var fromDay = SqliteJournal.WindowOf(_sequencer.ClosedThrough + 1 - days);
        if (fromDay <= _retainedFrom) return;
        if (_journal.HasSealedBefore(fromDay))
        {
            WriteBase();
            _journal.Retain(fromDay, _sequencer.JudgedPosition);
        }
        _retainedFrom = fromDay;
    }

    /// <summary>First day of the windows kept when this was last looked at.</summary>
    private int _retainedFrom = int.MinValue;

    private void WriteBase()
    {
        WriteSnapshot(isBase: true);
        foreach (var old in SnapshotFile.List(_directory.Path).Where(s => s.Position < _sequencer.JudgedPosition))
            File.Delete(old.Path);
    }
}
