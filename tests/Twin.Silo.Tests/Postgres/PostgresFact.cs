namespace Twin.Silo.Tests.Postgres;

/// <summary>A test that runs where PostgreSQL is installed, and says so where it is not.</summary>
[AttributeUsage(AttributeTargets.Method)]
public class PostgresFactAttribute : Xunit.FactAttribute
{
    public override string? Skip
    {
        get => PrivateServer.Missing;
        set => throw new NotSupportedException("Only the absence of PostgreSQL passes a test over.");
    }
}

/// <summary>A theory of that kind.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PostgresTheoryAttribute : Xunit.TheoryAttribute
{
    public override string? Skip
    {
        get => PrivateServer.Missing;
        set => throw new NotSupportedException("Only the absence of PostgreSQL passes a test over.");
    }
}
