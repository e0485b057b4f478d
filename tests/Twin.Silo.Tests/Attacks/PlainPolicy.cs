using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Silo.Tests.Attacks;

/// <summary>Twins under a policy that is a function of the facts: the loop is tried without documents.</summary>
internal sealed class PlainPolicy(ITwinFactory inner, Func<CaseFacts, (ResponseRung Rung, string Refused)> decide)
    : ITwinFactory
{
    /// <summary>Persons that a rung needs.</summary>
    public Func<ResponseRung, int> ApprovalsOf { get; init; } = _ => 0;

    public int JudgingVersion => inner.JudgingVersion;
    public bool HearsClosings(TwinKind kind) => inner.HearsClosings(kind);
    public TwinKey? Beside(ReadOnlySpan<byte> input) => inner.Beside(input);

    public TwinState Create(TwinKey key) =>
        key.Kind == TwinKind.Policy ? new Policy(key.Id, decide, ApprovalsOf) : inner.Create(key);

    public TwinState Restore(TwinKey key, ReadOnlySpan<byte> state) =>
        key.Kind == TwinKind.Policy ? new Policy(key.Id, decide, ApprovalsOf) : inner.Restore(key, state);

    private sealed class Policy(ulong id, Func<CaseFacts, (ResponseRung Rung, string Refused)> decide,
        Func<ResponseRung, int> approvals) : TwinState(id)
    {
        private static readonly Budget Wide = new(-1, -1, -1, -1, -1, -1), Narrow = new(3, 6, 12, -1, -1, -1);

        public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
        {
            accepted.Add(input, int.MinValue, long.MinValue, false);
            return Admission.Accept;
        }

        public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox)
        {
        }

        public override void Receive(IInbox inbox, IOutbox outbox)
        {
            for (var i = 0; i < inbox.Count; i++)
            {
                var r = new ByteReader(inbox[i].Body);
                Assert.Equal(AnswerKind.Ask, AnswerHead.Read(ref r));
                var facts = CaseFacts.Read(ref r);
                var (rung, refused) = decide(facts);
                var to = new ByteWriter(256);
                AnswerHead.Write(to, AnswerKind.Decided);
                new Decision(CaseVerdict.Open, "", rung, Enforcer.HeadEnd, approvals(rung), 0, default, 0, null,
                    refused,
                    "plain", "because", "", "", 0, 1, 1, default, false, "plain", "", new GuardLimits(Narrow, Narrow,
                        Wide, 86_400), 0, -1).Write(to);
                outbox.Send(facts.Case, to.Written);
            }
        }

        public override void Write(ByteWriter to) => to.Byte(1);
    }
}
