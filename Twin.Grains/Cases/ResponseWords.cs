using Twin.Hardware;

namespace Twin.Grains.Cases;

/// <summary>How a response is told.</summary>
public static class ResponseWords
{
    /// <summary>What moves a customer's supply is told louder than what does not; failure is one step louder.</summary>
    public static Severity SeverityOf(ResponseRecord r)
    {
        var base_ = ResponseRungs.MovesLoad(r.Rung) ? Severity.Medium : Severity.Info;
        return r.State is ResponseState.Failed or ResponseState.Quarantined ? (Severity)((byte)base_ + 1) : base_;
    }

    /// <summary>What is done and how it stands, in one sentence.</summary>
    public static string SentenceOf(ResponseRecord r)
    {
        var what = $"{(r.IsUndo ? "undoing " : "")}{SnakeCase.Of(r.Rung)}".Replace('_', ' ');
        var why = r.Reason.Length > 0 ? r.Reason : r.Why;
        return $"Response {what} on {r.SubjectName} is {SnakeCase.Of(r.State)}" + (why.Length > 0 ? $": {why}" : ".");
    }
}
