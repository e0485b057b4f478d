namespace Twin.Ingest;

/// <summary>
/// A file that cannot be read as a whole, or a profile that makes no sense. The message names what, where, and the
/// remedy; the command line turns it into exit code 2. Single malformed rows are rejects instead and never throw.
/// </summary>
public sealed class FormatError(string file, string problem, string remedy) : Exception($"{file}: {problem} {remedy}")
{
    public string File { get; } = file;
    public string Problem { get; } = problem;
    public string Remedy { get; } = remedy;
}
