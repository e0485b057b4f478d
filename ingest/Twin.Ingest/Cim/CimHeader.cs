using Twin.Hardware;

namespace Twin.Ingest.Cim;

/// <summary>
/// Header of an IEC 61968-100 message. <paramref name="CorrelationId"/> joins a reply to its request;
/// <paramref name="ReplyAddress"/>: where asynchronous replies are posted, empty for none.
/// </summary>
public sealed record CimHeader(string Verb, string Noun, UnixTime At, string CorrelationId, string ReplyAddress)
{
    /// <summary>Longest text of an element that is kept, characters; a longer one is refused.</summary>
    public const int MaxText = 2_000;

    /// <summary>Of messages, of edition 1 of IEC 61968-100; payloads have one for each noun.</summary>
    public const string Namespace = "http://iec.ch/TC57/2011/schema/message";

    public static string NamespaceOf(string noun) => $"http://iec.ch/TC57/2011/{noun}#";
}

/// <summary>How a reply of the other end reads. <paramref name="Code"/>: its own word for what failed.</summary>
public sealed record CimReply(CimHeader Header, CimResult Result, string Code, string Details);

/// <summary>Result of a reply (IEC 61968-100, ReplyType).</summary>
public enum CimResult : byte { Ok = 1, Partial = 2, Failed = 3 }

/// <summary>
/// A message that cannot be read. The message says why; line and column count from 1, 0 where none is to blame.
/// </summary>
public sealed class CimError(int line, int column, string problem)
    : Exception($"line {line}, column {column}: {problem}")
{
    public int Line { get; } = line;
    public int Column { get; } = column;
}
