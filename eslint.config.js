import hooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['build/', 'coverage/', '.data/', '**/dist/', 'test/dev-store/public/'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'prefer-const': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  { files: ['app/**/*.tsx'], ...hooks.configs.flat.recommended },
  // Commands, servers and benches talk on the terminal: that is their job.
  {
    files: ['app/commands/**', 'app/server.ts', 'app/jobs/worker.ts', 'prisma/migrate.ts', 'test/**', '*.config.ts'],
    rules: { 'no-console': 'off' },
  },
)
