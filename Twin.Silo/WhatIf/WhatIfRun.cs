using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Silo.Embedded;
using Twin.Silo.Engine;
using Twin.Silo.Storage;

namespace Twin.Silo.WhatIf;

/// <summary>
/// What another policy would have done with a recorded past. The journal is run through the same twins twice, as it is,
/// and with the other policy put in force at a time; both are folded to figures. What is not known is assumed in one
/// way: an order that the record does not have is done at once, and one that it has fares as it did. Acts of persons
/// and outcomes that speak of a response which the other policy did not propose are left out, and counted. What the
/// world would have done otherwise (a meter that was isolated is silent) is not known and not guessed.
/// </summary>
internal sealed class WhatIfRun
{
    /// <summary>Of a directory that nobody writes meanwhile.</summary>
    public required SqliteJournal Journal { get; init; }
    public required string Folder { get; init; }
    public required int Shards { get; init; }
    public required ITwinFactory Factory { get; init; }
    public required Action<string> Log { get; init; }

    /// <summary>Name under which assumed outcomes come.</summary>
    public const string Gateway = "assumed";

    /// <summary>Inputs between two looks at progress.</summary>
    private const int LookEvery = 65_536;

    /// <summary>How far it has come: inputs.</summary>
    public Action<long>? Progress { get; init; }

    /// <summary>The record as it is.</summary>
    /// <exception cref="DataDirectoryException">The directory cannot be rebuilt.</exception>
    public AnswerFold AsRecorded() => new Pass(this, null, null, null).Run();

    /// <param name="recorded">What <see cref="AsRecorded"/> gave.</param>
    /// <param name="text">The other policy, as it is written.</param>
    /// <param name="since">From the first sweep at this time on; null: from the beginning.</param>
    /// <param name="leftOut">Acts and outcomes that no longer fit.</param>
    public AnswerFold Under(AnswerFold recorded, string text, UnixTime? since, out int leftOut)
    {
        var pass = new Pass(this, recorded, text, since);
        var fold = pass.Run();
        leftOut = pass.LeftOut;
        return fold;
    }

    private sealed class Pass(WhatIfRun run, AnswerFold? recorded, string? text, UnixTime? since) : IAccepted
    {
        private readonly TwinHost _host = new(run.Shards, run.Factory, keepScores: false);
        private readonly AnswerFold _fold = new();
        private readonly Consequences _said = new();

        /// <summary>Name of the newest response of a number in a case: what acts and outcomes speak of.</summary>
        private readonly Dictionary<(TwinKey Case, int Number), string> _names = [];
        private readonly List<ResponseOutcome> _assumed = [];
        private JournalRecall _recall = null!;
        private bool _isInForce;
        private long _inputs;

        public int LeftOut { get; private set; }

        public AnswerFold Run()
        {
            using var host = _host;
            _recall = new JournalRecall(run.Journal, () => { });
            var from = Rebuilder.LoadBase(_host, run.Journal, run.Folder, run.Factory.JudgingVersion, run.Log);
            if (since is null) Activate(default);
            run.Journal.Read(from, (position, input) =>
            {
                Take(input);
                if (++_inputs % LookEvery == 0) run.Progress?.Invoke(position);
            });
            _host.EndRebuild(_said);
            Fold();
            return _fold;
        }

        private void Take(ReadOnlySpan<byte> input)
        {
            var envelope = Envelope.Read(input);
            if (envelope.Kind == InputKind.Sweep)
            {
                var at = ((Sweep)Input.Read(input)).At;
                if (since is { } time && at.Seconds >= time.Seconds) Activate(at);
                _fold.See(at);
                _host.Rebuild(input, _said);
                Fold();
                foreach (var outcome in _assumed) _host.Rebuild((outcome with { At = at }).ToBytes(), _said);
                _assumed.Clear();
            }
            else if (text is not null && IsAnswer(envelope.Target.Kind)) Fit(input);
            else _host.Rebuild(input, _said);
            _said.Findings.Clear();
            _said.Publications.Clear();
        }

        private static bool IsAnswer(TwinKind kind) =>
            kind is TwinKind.Case or TwinKind.Desk or TwinKind.Guard or TwinKind.Policy;

        private void Activate(UnixTime at)
        {
            if (text is null || _isInForce) return;
            _isInForce = true;
            _host.Rebuild(new PolicyActivation(at, new Actor("what-if", "what-if"), text).ToBytes(), _said);
        }

        /// <summary>Takes what was said to a case, a guard or the policy, if that can still be said.</summary>
        private void Fit(ReadOnlySpan<byte> input)
        {
            var act = Input.Read(input);
            if (_isInForce && act is PolicyActivation) return;
            // What came before must be in force before it is asked whether this fits.
            _host.EndRebuild(_said);
            Fold();
            var fits = act switch
            {
                ResponseOutcome o => IsAsRecorded(o.Case, o.Response, o.IsUndo),
                ResponseAct { Act: not (ResponseActKind.Propose or ResponseActKind.Quarantine) } a
                    when a.Case.Kind == TwinKind.Case => IsAsRecorded(a.Case, a.Response, false),
                _ => true,
            };
            var bytes = input.ToArray();
            if (!fits || _host.Read<object>(act.Target, twin => twin.Admit(bytes, _recall, this))
                is Admission { Status: AdmissionStatus.Rejected })
            {
                LeftOut++;
                return;
            }
            _host.Rebuild(bytes, _said);
        }

        private bool IsAsRecorded(TwinKey key, int number, bool isUndo) =>
            _names.TryGetValue((key, isUndo ? -number : number), out var name) && recorded!.Has(name);

        private void Fold()
        {
            foreach (var bytes in _said.Ledger)
            {
                var entry = LedgerEntry.Read(bytes);
                _fold.Take(entry);
                if (text is null || entry.Kind is not (LedgerKind.Response or LedgerKind.Order)) continue;
                var r = Soc.SocWords.ResponseOf(entry.Body);
                var name = AnswerFold.NameOf(r);
                _names[(r.Case, r.IsUndo ? -r.Number : r.Number)] = name;
                if (entry.Kind == LedgerKind.Order && !recorded!.Has(name))
                    _assumed.Add(new ResponseOutcome(r.Case, r.OrderedAt, r.Number, r.IsUndo, ResponseResult.Done,
                        Gateway, ""));
            }
            _said.Ledger.Clear();
        }

        /// <summary>Nothing is accepted here: it is only asked.</summary>
        public void Add(ReadOnlySpan<byte> input, int day, long endMinute, bool sealable) { }
    }
}
